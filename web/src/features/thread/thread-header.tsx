/** Who this is, who else is here, and what can be done with the conversation as a whole. */

import { lazy, Suspense, useState } from "react";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import type { ConversationView } from "../../inbox/views";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { BackIcon, CheckIcon, PanelIcon, ReopenIcon, StarIcon } from "../../ui/icons";
import { memberName } from "../assignee";
import { lookOf } from "../channel-kind";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";
import { useInbox, useSession } from "../session";
import { tagName } from "../tag-look";
import { useTags } from "../use-tags";
import { useAiWriting, useTypingCustomers } from "../use-typing";
import { MoreButton } from "./menu-buttons";
import { TagRow } from "./tag-row";
import { useMove } from "./use-move";
import { useTagging } from "./use-tagging";

const ConversationMenu = lazy(() => import("./conversation-menu"));

export function ThreadHeader({
  conversation,
  isContactShown,
  onContact,
  onBack,
  onActivity,
  onLeave,
}: {
  conversation: ConversationView;
  isContactShown: boolean;
  /** Show the contact's panel, or hide it. */
  onContact: () => void;
  onBack: () => void;
  /** Show what the AI did here. */
  onActivity: () => void;
  onLeave: () => void;
}) {
  const { canWrite } = useSession();
  const channel = useInbox((snapshot) => snapshot.state.channels.get(conversation.channelId));
  const holder = useHolder(conversation);
  const move = useMove(conversation);
  const [isMenuWanted, setIsMenuWanted] = useState(false);
  const name = nameOf(conversation);

  return (
    <header className="@container border-b border-line bg-surface">
      <div className="flex min-h-16 items-center gap-2 py-2 pr-2 pl-1 md:gap-3 md:pr-4 md:pl-5">
        <IconButton label="Back to the list" className="md:hidden" onClick={onBack}>
          <BackIcon />
        </IconButton>
        <span className="max-[22.5rem]:hidden">
          <ContactAvatar conversation={conversation} />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-base font-semibold">{name}</h2>
          <p className="flex items-center gap-1.5 text-xs text-muted">
            <ModeBadge mode={conversation.mode} />
            <span className="truncate">
              <Doing
                conversationId={conversation.id}
                idle={[holder, channel?.displayName ?? lookOf(conversation.channelKind).name]
                  .filter(Boolean)
                  .join(" · ")}
              />
            </span>
          </p>
        </div>
        <Colleagues conversationId={conversation.id} />
        <IconButton label="View contact" aria-pressed={isContactShown} onClick={onContact}>
          <PanelIcon />
        </IconButton>
        <div className="flex items-center gap-1">
          {canWrite && <Star conversation={conversation} />}
          {canWrite &&
            (conversation.folder === Folder.OPEN ? (
              <Button
                onClick={() => move(Folder.SOLVED)}
                aria-label="Mark as solved"
                title="Mark as solved"
              >
                <CheckIcon className="size-4.5 text-good" />
                <span className="@max-xl:sr-only">Mark as solved</span>
              </Button>
            ) : (
              <Button
                onClick={() => move(Folder.OPEN)}
                aria-label="Reopen"
                title="Move back to Open"
              >
                <ReopenIcon className="size-4.5" />
                <span className="@max-xl:sr-only">Reopen</span>
              </Button>
            ))}
          <Suspense fallback={<MoreButton onClick={() => setIsMenuWanted(true)} />}>
            <ConversationMenu
              conversation={conversation}
              isOpenAtFirst={isMenuWanted}
              onActivity={onActivity}
              onLeave={onLeave}
            />
          </Suspense>
        </div>
      </div>
      <TagRow conversation={conversation} />
    </header>
  );
}

function Star({ conversation }: { conversation: ConversationView }) {
  const { star } = useTags();
  const setTag = useTagging(conversation.id);
  if (star === null) return null;
  const isOn = conversation.tagIds.includes(star.id);
  return (
    <IconButton
      label={tagName(star)}
      aria-pressed={isOn}
      className={isOn ? "text-(--star)!" : ""}
      onClick={() => setTag(star.id, !isOn)}
    >
      <StarIcon className={`size-5 ${isOn ? "fill-current" : ""}`} />
    </IconButton>
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

/** Which person has it in manual mode; empty while none has. */
function useHolder({ mode, hold }: ConversationView): string {
  const { member } = useSession();
  const members = useInbox((snapshot) => snapshot.state.members);
  if (mode !== ConversationMode.MANUAL || hold === null) return "";
  if (hold.memberId === member.id) return "You have it";
  return `${memberName(members, hold.memberId, member.id)} has it`;
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
