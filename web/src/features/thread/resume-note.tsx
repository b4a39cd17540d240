/** In manual mode: when the AI takes over again, and the pin that keeps it from doing so. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import type { ConversationView } from "../../inbox/views";
import { useToast } from "../../ui/toast";
import { useSeconds } from "../../ui/use-now";
import { useInbox, useSession } from "../session";
import { countdown } from "./note-words";

export function ResumeNote({ conversation }: { conversation: ConversationView }) {
  const { id } = conversation;
  const thread = useInbox((snapshot) => snapshot.state.threads.get(id)?.thread ?? null);
  if (thread === null || conversation.mode !== ConversationMode.MANUAL) return null;
  const { manualUntil, isManualKept, handover } = thread;
  if (manualUntil === undefined && !isManualKept && handover === undefined) return null;
  return (
    <p className="flex flex-wrap items-center justify-center gap-x-2 pt-1 text-xs text-muted">
      {handover !== undefined && (
        <span className="font-semibold text-warn">Waiting for a person</span>
      )}
      {manualUntil !== undefined && <Countdown untilMillis={timestampMs(manualUntil)} />}
      {isManualKept && <span>People keep this conversation</span>}
      {(manualUntil !== undefined || isManualKept) && <Pin id={id} isKept={isManualKept} />}
    </p>
  );
}

function Countdown({ untilMillis }: { untilMillis: number }) {
  const left = untilMillis - useSeconds();
  // Said once to a screen reader, not every second.
  return (
    <span role="timer" aria-live="off" className="tabular-nums">
      {left > 0 ? `AI resumes in ${countdown(left)}` : "AI resumes now"}
    </span>
  );
}

function Pin({ id, isKept }: { id: string; isKept: boolean }) {
  const { inbox, canWrite } = useSession();
  const toast = useToast();
  if (!canWrite) return null;
  function press() {
    inbox
      .keepManual(id, !isKept)
      .catch(() => toast({ text: "That could not be changed. Try again.", tone: "danger" }));
  }
  return (
    <button
      type="button"
      onClick={press}
      className="min-h-6 rounded px-1 font-medium text-accent-text underline-offset-2 hover:underline max-md:min-h-11"
    >
      {isKept ? "Let the AI resume" : "Keep manual"}
    </button>
  );
}
