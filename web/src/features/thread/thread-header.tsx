/** Who this is, who else is here, and what can be done with the conversation as a whole. */

import { refusalOf } from "../../connection/refusal";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import type { ConversationView } from "../../inbox/views";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { BackIcon, CheckIcon, ReopenIcon } from "../../ui/icons";
import { useToast } from "../../ui/toast";
import { lookOf } from "../channel-kind";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";
import { useInbox, useSession } from "../session";
import { useAiWriting, useTypingCustomers } from "../use-typing";

export function ThreadHeader({
  conversation,
  onBack,
}: {
  conversation: ConversationView;
  onBack: () => void;
}) {
  const { inbox, canWrite } = useSession();
  const toast = useToast();
  const channel = useInbox((snapshot) => snapshot.state.channels.get(conversation.channelId));
  const name = nameOf(conversation);
  const isSolved = conversation.folder === Folder.SOLVED;

  function reopen() {
    inbox
      .reopen(conversation.id)
      .catch(() => toast({ text: "Could not reopen it. Try again.", tone: "danger" }));
  }
  function solve() {
    inbox.solve(conversation.id).then(
      () => toast({ text: "Marked as solved", action: { label: "Undo", act: reopen } }),
      (error: unknown) =>
        toast({
          text:
            refusalOf(error).reason === Reason.VERSION_CONFLICT
              ? "The customer has just written. Read it first."
              : "Could not mark it as solved. Try again.",
          tone: "danger",
        }),
    );
  }

  return (
    <header className="flex min-h-16 items-center gap-3 border-b border-line bg-surface py-2 pr-2 pl-1 md:pr-4 md:pl-5">
      <IconButton label="Back to the list" className="md:hidden" onClick={onBack}>
        <BackIcon />
      </IconButton>
      <ContactAvatar conversation={conversation} />
      <div className="min-w-0 flex-1">
        <h2 className="truncate text-base font-semibold">{name}</h2>
        <p className="flex items-center gap-1.5 text-xs text-muted">
          <ModeBadge mode={conversation.mode} />
          <span className="truncate">
            <Doing
              conversationId={conversation.id}
              idle={channel?.displayName ?? lookOf(conversation.channelKind).name}
            />
          </span>
        </p>
      </div>
      <Colleagues conversationId={conversation.id} />
      {canWrite &&
        (isSolved ? (
          <Button onClick={reopen} aria-label="Reopen" title="Move back to Open">
            <ReopenIcon className="size-4.5" />
            <span className="max-sm:sr-only">Reopen</span>
          </Button>
        ) : (
          <Button onClick={solve} aria-label="Mark as solved" title="Mark as solved">
            <CheckIcon className="size-4.5 text-good" />
            <span className="max-lg:sr-only">Mark as solved</span>
          </Button>
        ))}
    </header>
  );
}

export function ModeBadge({ mode }: { mode: ConversationMode }) {
  const isAi = mode === ConversationMode.AI;
  return (
    <span
      data-testid="mode"
      className={`inline-flex shrink-0 items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium ${
        isAi ? "bg-accent-soft text-accent-text" : "bg-warn-soft text-warn"
      }`}
    >
      <span
        className={`size-1.5 rounded-full ${isAi ? "animate-pulse-dot bg-accent-text" : "bg-warn"}`}
      />
      {isAi ? "AI: Active" : "Manual"}
    </span>
  );
}

function Doing({ conversationId, idle }: { conversationId: string; idle: string }) {
  const isTyping = useTypingCustomers().has(conversationId);
  const isAiWriting = useAiWriting().has(conversationId);
  if (!isTyping && !isAiWriting) return idle;
  return (
    <span className="font-medium text-accent-text">{isTyping ? "typing…" : "AI is writing…"}</span>
  );
}

/** Colleagues who look at the same conversation; whoever types there has a moving dot. */
function Colleagues({ conversationId }: { conversationId: string }) {
  const { member } = useSession();
  const presence = useInbox((snapshot) => snapshot.state.presence);
  const here = [...presence.values()].filter(
    (who) => who.conversationId === conversationId && who.memberId !== member.id,
  );
  if (here.length === 0) return null;
  const saying = here
    .map((who) => `${who.displayName} ${who.isTyping ? "is typing" : "is here"}`)
    .join(", ");
  return (
    <div role="status" title={saying} className="flex items-center -space-x-2">
      <span className="sr-only">{saying}</span>
      {here.slice(0, 3).map((who) => (
        <span key={who.memberId} className="relative rounded-full ring-2 ring-surface">
          <Avatar name={who.displayName} colorKey={who.memberId} size="small" />
          <span
            className={`absolute -right-0.5 -bottom-0.5 size-2.5 rounded-full ring-2 ring-surface ${who.isTyping ? "animate-pulse-dot bg-accent" : "bg-good"}`}
          />
        </span>
      ))}
    </div>
  );
}
