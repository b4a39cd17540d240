/** The number of open conversations with something unread, in the tab's title. */

import { useEffect } from "react";
import { useInbox } from "../features/session";
import { Folder } from "../gen/inbox/conversation/v1/conversation_pb";

export function useTitleBadge(): void {
  const unread = useInbox(
    (snapshot, views) =>
      views
        .list(snapshot.state, snapshot.pending, Folder.OPEN)
        .filter((conversation) => conversation.unreadCount > 0).length,
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Inbox` : "Inbox";
  }, [unread]);
}
