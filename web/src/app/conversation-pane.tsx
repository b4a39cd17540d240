/** One open conversation: header, mode, channel's state, history, composer. */

import { useCallback, useEffect, useRef, useState } from "react";
import { refusalOf } from "../connection/refusal";
import { Composer, type ComposerHandle } from "../features/composer/composer";
import { useConversation, useInbox, useSession } from "../features/session";
import { ChannelBanner } from "../features/thread/channel-banner";
import { MessageList } from "../features/thread/message-list";
import { ModeBar } from "../features/thread/mode-bar";
import { ThreadHeader } from "../features/thread/thread-header";
import { Button, IconButton } from "../ui/button";
import { AlertIcon, BackIcon, CheckIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { Skeleton } from "../ui/skeleton";
import type { Place } from "./list-address";
import { goTo } from "./router";
import { usePresence } from "./use-presence";

type Failure = "none" | "gone" | "unreachable";

export function ConversationPane({
  id,
  at,
  isContactShown,
  onContact,
  onNewest,
  onBack,
  onLeave,
}: {
  id: string;
  /** Where to look; null for the newest messages. */
  at: Place | null;
  isContactShown: boolean;
  onContact: () => void;
  /** Show them instead. */
  onNewest: () => void;
  onBack: () => void;
  /** Show no conversation. */
  onLeave: () => void;
}) {
  const { inbox } = useSession();
  const conversation = useConversation(id);
  const [failure, setFailure] = useState<Failure>("none");
  const composer = useRef<ComposerHandle>(null);
  const onTyping = usePresence(id);

  const load = useCallback(() => {
    setFailure("none");
    inbox
      .openConversation(id, at?.seq ?? null)
      .catch((error: unknown) => setFailure(refusalOf(error).isTransient ? "unreachable" : "gone"));
  }, [inbox, id, at]);
  useEffect(load, [load]);
  const isErased = useInbox(({ state }) => state.erasedConversations.has(id));
  useEffect(() => () => void inbox.openConversation(null), [inbox]);

  const onChannels = useCallback(() => goTo({ page: "channels" }), []);
  const onActivity = useCallback(
    () => goTo({ page: "settings", section: "activity", entry: id }),
    [id],
  );
  const onEdit = useCallback((text: string) => composer.current?.putBack(text), []);

  if (conversation === null) {
    const missing = isErased ? "erased" : failure;
    return (
      <>
        <div className="flex min-h-16 items-center gap-3 border-b border-line bg-surface px-1 md:px-5">
          <IconButton label="Back to the list" className="md:hidden" onClick={onBack}>
            <BackIcon />
          </IconButton>
          {missing === "none" && <Skeleton className="size-9 rounded-full!" />}
          {missing === "none" && <Skeleton className="h-4 w-36" />}
        </div>
        {missing === "erased" && (
          <EmptyState
            icon={<CheckIcon className="size-7" />}
            title="This conversation was erased"
            action={<Button onClick={onLeave}>Back to the list</Button>}
          >
            Nothing that was said in it is kept here.
          </EmptyState>
        )}
        {missing === "gone" && (
          <EmptyState icon={<AlertIcon className="size-7" />} title="No such conversation">
            The address is wrong, or you may not see it.
          </EmptyState>
        )}
        {missing === "unreachable" && (
          <EmptyState
            icon={<AlertIcon className="size-7" />}
            title="The conversation could not be loaded"
            action={<Button onClick={load}>Try again</Button>}
          />
        )}
      </>
    );
  }
  return (
    <>
      <ThreadHeader
        conversation={conversation}
        isContactShown={isContactShown}
        onContact={onContact}
        onBack={onBack}
        onActivity={onActivity}
        onLeave={onLeave}
      />
      <ModeBar conversation={conversation} />
      <ChannelBanner channelId={conversation.channelId} onChannels={onChannels} />
      <MessageList
        conversation={conversation}
        at={at}
        hasFailed={failure !== "none"}
        onReload={load}
        onNewest={at === null ? load : onNewest}
        onChannels={onChannels}
        onEdit={onEdit}
      />
      <Composer
        conversation={conversation}
        takesFocus={at === null}
        onTyping={onTyping}
        handle={composer}
      />
    </>
  );
}
