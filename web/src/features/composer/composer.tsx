/** Where a reply is written. Enter sends, Shift+Enter breaks the line. */

import { type KeyboardEvent, useEffect, useImperativeHandle, useLayoutEffect, useRef } from "react";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import type { ConversationView } from "../../inbox/views";
import { ArrowUpIcon, PlaneIcon } from "../../ui/icons";
import { useToast } from "../../ui/toast";
import { nameOf } from "../contact-name";
import { useInbox, useSession } from "../session";
import { AiLock } from "./ai-lock";
import { lengthLeft } from "./length";
import { useDraft } from "./use-draft";

const TALLEST_PIXELS = 200;
/** Said again while typing goes on, and taken back after a pause. */
const TYPING_EVERY_MILLIS = 4_000;
const TYPING_ENDS_AFTER_MILLIS = 5_000;

export interface ComposerHandle {
  /** Put a text back that could not be sent; what is there already stays. */
  putBack(text: string): void;
}

export function Composer({
  conversation,
  takesFocus,
  onTyping,
  handle,
}: {
  conversation: ConversationView;
  /** When it is opened. */
  takesFocus: boolean;
  onTyping: (isTyping: boolean) => void;
  handle: React.Ref<ComposerHandle>;
}) {
  const { inbox, canWrite, send } = useSendSession();
  const toast = useToast();
  const { id } = conversation;
  const [text, change] = useDraft(id);
  const field = useRef<HTMLTextAreaElement>(null);
  const capabilities = useInbox(
    (snapshot) => snapshot.state.channels.get(conversation.channelId)?.capabilities,
  );
  const typing = useTypingSigns(onTyping);
  const left = lengthLeft(text, capabilities);
  const isEmpty = text.trim() === "";
  const isTooLong = left !== null && left < 0;
  const canSend = !isEmpty && !isTooLong;
  const isAi = conversation.mode === ConversationMode.AI;

  useImperativeHandle(handle, () => ({
    putBack(returned) {
      change(text.trim() === "" ? returned : `${text}\n${returned}`);
      field.current?.focus();
    },
  }));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, TALLEST_PIXELS)}px`;
  }, [text, isAi]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only when it is opened
  useEffect(() => {
    if (!takesFocus) return;
    // On a phone the keyboard would cover what was opened to be read.
    if (window.matchMedia("(hover: hover) and (min-width: 768px)").matches) field.current?.focus();
  }, []);

  function submit() {
    if (!canSend) return;
    send(id, text.trim());
    change("");
    typing.end();
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
      return;
    // Enter that chooses a word of an input method never sends; keyCode 229 is how some browsers say so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!event.repeat) submit();
  }

  function takeOver() {
    inbox.setMode(id, ConversationMode.MANUAL).then(
      () => field.current?.focus(),
      () => toast({ text: "You could not take over. Try again.", tone: "danger" }),
    );
  }

  const frame = "border-t border-line bg-surface pb-[env(safe-area-inset-bottom)]";
  if (isAi) {
    return (
      <div className={frame}>
        <AiLock onTakeOver={canWrite ? takeOver : null} />
      </div>
    );
  }
  if (!canWrite) {
    return (
      <p className={`${frame} px-4 py-5 text-center text-sm text-muted`}>
        Your role may read this inbox, not write in it.
      </p>
    );
  }
  const reason = isTooLong
    ? "Too long for this channel"
    : isEmpty
      ? "Write something first"
      : undefined;
  return (
    <form
      className={`${frame} px-3 pt-3 md:px-5`}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="mx-auto mb-3 flex max-w-4xl items-end gap-2 rounded-[1.375rem] border border-line-strong bg-raised pr-1 pl-4 transition-colors focus-within:border-accent">
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={`Message to ${nameOf(conversation)}`}
          placeholder="Write a reply…"
          enterKeyHint="send"
          onChange={(event) => {
            change(event.target.value);
            typing.sign(event.target.value);
          }}
          onBlur={typing.end}
          onKeyDown={onKeyDown}
          className="min-h-6 flex-1 resize-none self-center bg-transparent py-2.5 text-base outline-none placeholder:text-faint max-md:text-[1rem]"
        />
        {left !== null && (
          <span
            role="status"
            className={`self-center text-xs tabular-nums ${isTooLong ? "font-semibold text-danger" : "text-muted"}`}
          >
            {left}
          </span>
        )}
        <button
          type="submit"
          aria-label="Send"
          title={reason ?? "Send (Enter)"}
          aria-disabled={!canSend}
          className="group grid size-11 shrink-0 place-items-center rounded-full"
        >
          <span
            className={`grid size-9 place-items-center rounded-full transition-colors ${
              canSend ? "bg-accent text-accent-ink group-hover:bg-accent-hover" : "text-faint"
            }`}
          >
            {canSend ? <ArrowUpIcon /> : <PlaneIcon />}
          </span>
        </button>
      </div>
    </form>
  );
}

function useSendSession() {
  const session = useSession();
  return {
    inbox: session.inbox,
    canWrite: session.canWrite,
    send: (conversationId: string, text: string) => session.send(conversationId, text),
  };
}

function useTypingSigns(onTyping: (isTyping: boolean) => void) {
  const saidAt = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const end = () => {
    clearTimeout(timer.current);
    if (saidAt.current === 0) return;
    saidAt.current = 0;
    onTyping(false);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    end,
    sign(text: string) {
      if (text.trim() === "") {
        end();
        return;
      }
      const now = Date.now();
      if (now - saidAt.current >= TYPING_EVERY_MILLIS) {
        saidAt.current = now;
        onTyping(true);
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(end, TYPING_ENDS_AFTER_MILLIS);
    },
  };
}
