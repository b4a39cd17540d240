/** The contact's conversations on all of their channels, newest activity first. */

import { useMemo } from "react";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import { contactOf } from "../../inbox/contacts";
import { previewWords } from "../../inbox/preview-words";
import { type ConversationView, compareKeys } from "../../inbox/views";
import { Button } from "../../ui/button";
import { ErrorText } from "../../ui/notice";
import { listTime, toDate } from "../../ui/time";
import { useToday } from "../../ui/use-now";
import { ChannelIcon } from "../channel-kind";
import { useInbox, useObservable, useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { Section } from "./section";
import { useContact } from "./use-contact";

const FOLDERS: Record<Folder, string> = {
  [Folder.UNSPECIFIED]: "",
  [Folder.OPEN]: "",
  [Folder.SOLVED]: "Solved",
  [Folder.SPAM]: "Spam",
  [Folder.ARCHIVED]: "Archived",
};

export function ConversationsSection({
  currentId,
  hrefOf,
  onOpen,
}: {
  currentId: string;
  hrefOf: (conversationId: string) => string;
  onOpen: (conversationId: string) => void;
}) {
  const { file } = useContact();
  const { nextPageToken } = useObservable(file);
  const loading = useAction();
  const conversations = useConversations();
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  return (
    <Section title="All conversations">
      <ul aria-label="Conversations of the contact" className="-mx-2 flex flex-col">
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <a
              href={hrefOf(conversation.id)}
              aria-current={conversation.id === currentId ? "true" : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                onOpen(conversation.id);
              }}
              className={`flex min-h-11 items-center gap-3 rounded-lg px-2 py-1.5 text-sm outline-offset-[-2px] ${
                conversation.id === currentId ? "bg-selected" : "hover:bg-hover"
              }`}
            >
              <ChannelIcon kind={conversation.channelKind} />
              <span className="min-w-0 flex-1">
                <span className="block truncate">
                  {previewWords(conversation.preview) || "No message"}
                </span>
                <span className="block text-xs text-muted">
                  {[
                    conversation.lastActivityTime &&
                      listTime(toDate(conversation.lastActivityTime), today, timeZone),
                    FOLDERS[conversation.folder],
                    conversation.id === currentId ? "Open here" : "",
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {loading.error !== null && <ErrorText>{loading.error}</ErrorText>}
      {nextPageToken !== "" && (
        <Button isBusy={loading.isBusy} onClick={() => void loading.run(() => file.more())}>
          Show older
        </Button>
      )}
    </Section>
  );
}

function useConversations(): readonly ConversationView[] {
  const { views } = useSession();
  const { contact } = useContact();
  const state = useInbox((snapshot) => snapshot.state);
  const pending = useInbox((snapshot) => snapshot.pending);
  return useMemo(() => {
    const own: ConversationView[] = [];
    for (const conversation of state.conversations.values()) {
      if (contactOf(state, conversation.contact?.id ?? "")?.id !== contact.id) continue;
      const view = views.one(state, pending, conversation.id);
      if (view !== null) own.push(view);
    }
    return own.sort((a, b) =>
      compareKeys({ time: a.lastActivityTime, id: a.id }, { time: b.lastActivityTime, id: b.id }),
    );
  }, [state, pending, views, contact.id]);
}
