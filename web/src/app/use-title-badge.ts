/** The number of open conversations with something unread, in the tab's title. */

import { useEffect } from "react";
import { useInbox } from "../features/session";
import { Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import { counterKey } from "../inbox/merge";

export function useTitleBadge(): void {
  const unread = useInbox(
    ({ state }) =>
      state.counters.get(counterKey({ folder: Folder.OPEN, channelId: "", tagId: "" }))
        ?.unreadCount ?? 0n,
  );
  useEffect(() => {
    document.title = unread > 0n ? `(${unread}) Inbox` : "Inbox";
  }, [unread]);
}
