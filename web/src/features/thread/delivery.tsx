/** The line under an outbound bubble: its time, how far it got, and what to do if it failed. */

import { lazy, Suspense, useRef, useState } from "react";
import type { OutboxEntry } from "../../connection/outbox";
import { refusalOf } from "../../connection/refusal";
import type { Message } from "../../gen/inbox/messaging/v1/message_pb";
import { AlertIcon, ClockIcon, RetryIcon, TickIcon, TwoTicksIcon } from "../../ui/icons";
import { Spinner } from "../../ui/spinner";
import { clockTime, fullTime, toDate } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { useObservable, useSession } from "../session";
import {
  failureWords,
  PROGRESS_NAMES,
  type Progress,
  progressOf,
  refusalWords,
} from "./delivery-words";
import { Receipts } from "./receipts";

const Popover = lazy(() => import("../../ui/popover"));

const SMALL_BUTTON =
  "relative inline-flex items-center gap-1 rounded-md font-semibold underline-offset-2 after:absolute after:-inset-x-2 after:-inset-y-3 hover:underline disabled:opacity-60";

export function Tick({ progress }: { progress: Progress }) {
  switch (progress) {
    case "sending":
      return <Spinner className="size-3.5 text-muted" />;
    case "sent":
      return <TickIcon className="size-4" />;
    case "delivered":
      return <TwoTicksIcon className="size-4" />;
    case "read":
      return <TwoTicksIcon className="size-4 text-accent-text" />;
    case "failed":
      return <AlertIcon className="size-4 text-danger" />;
  }
}

function Time({ date, timeZone }: { date: Date; timeZone: string | undefined }) {
  return (
    <time dateTime={date.toISOString()} title={fullTime(date, timeZone)} className="tabular-nums">
      {clockTime(date, timeZone)}
    </time>
  );
}

export function MessageDelivery({
  message,
  timeZone,
  onChannels,
}: {
  message: Message;
  timeZone: string | undefined;
  onChannels: () => void;
}) {
  const progress = progressOf(message.deliveryStatus);
  return (
    <div className="flex flex-col items-end gap-0.5 pt-1 pr-1 text-xs text-faint">
      <div className="flex items-center gap-1">
        {message.createTime && <Time date={toDate(message.createTime)} timeZone={timeZone} />}
        {progress !== null && (
          <StatusButton message={message} progress={progress} timeZone={timeZone} />
        )}
      </div>
      {progress === "failed" && <Failure message={message} onChannels={onChannels} />}
    </div>
  );
}

/** The tick; opens the timeline of everything known about the message. */
function StatusButton({
  message,
  progress,
  timeZone,
}: {
  message: Message;
  progress: Progress;
  timeZone: string | undefined;
}) {
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        data-status={progress}
        aria-label={`${PROGRESS_NAMES[progress]}. Show how it got there`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        title={PROGRESS_NAMES[progress]}
        onClick={() => setIsOpen(!isOpen)}
        className="relative inline-grid size-5 place-items-center rounded-md after:absolute after:-inset-3 hover:bg-line"
      >
        <Tick progress={progress} />
      </button>
      {isOpen && (
        <Suspense>
          <Popover anchor={button} title="How it got there" onClose={() => setIsOpen(false)}>
            <Receipts messageId={message.id} version={message.version} timeZone={timeZone} />
          </Popover>
        </Suspense>
      )}
    </>
  );
}

function Failure({ message, onChannels }: { message: Message; onChannels: () => void }) {
  const { inbox, canWrite } = useSession();
  const toast = useToast();
  const [isBusy, setIsBusy] = useState(false);
  const words = failureWords(message.failure);

  async function retry() {
    setIsBusy(true);
    try {
      await inbox.retryMessage(message.id);
    } catch (error) {
      const refusal = refusalOf(error);
      toast({
        text: refusal.isTransient
          ? "Could not try again: Inbox is not reachable."
          : refusal.message,
        tone: "danger",
      });
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <div className="flex max-w-72 flex-col items-end gap-1 pb-2 text-right text-danger">
      <p>
        {words.text}
        {words.warning !== null && <span className="block text-muted">{words.warning}</span>}
      </p>
      <p className="flex gap-4">
        {words.pointsToChannel && (
          <button type="button" className={SMALL_BUTTON} onClick={onChannels}>
            Open channels
          </button>
        )}
        {canWrite && words.canRetry && (
          <button
            type="button"
            className={SMALL_BUTTON}
            disabled={isBusy}
            onClick={() => void retry()}
          >
            <RetryIcon className="size-3.5" /> Retry
          </button>
        )}
      </p>
    </div>
  );
}

export function OutboxDelivery({
  entry,
  timeZone,
  onEdit,
}: {
  entry: OutboxEntry;
  timeZone: string | undefined;
  onEdit: (text: string) => void;
}) {
  const { outbox, status: observed } = useSession();
  const status = useObservable(observed);
  const date = new Date(entry.createTimeMillis);
  if (entry.state === "waiting") {
    const isWaitingForLine = status.phase !== "live";
    const name = isWaitingForLine ? "Sent as soon as the connection is back" : "Sending";
    return (
      <div className="flex items-center gap-1 pt-1 pr-1 text-xs text-faint">
        <Time date={date} timeZone={timeZone} />
        <span
          role="img"
          data-status="sending"
          aria-label={name}
          title={name}
          className="grid size-5 place-items-center"
        >
          {isWaitingForLine ? <ClockIcon className="size-3.5" /> : <Spinner className="size-3.5" />}
        </span>
      </div>
    );
  }
  const isHeld = entry.state === "held";
  return (
    <div
      className={`flex max-w-80 flex-col items-end gap-1 pt-1 pr-1 text-right text-xs ${isHeld ? "text-muted" : "text-danger"}`}
    >
      <p data-status={entry.state}>
        {isHeld
          ? `Written ${fullTime(date, timeZone)} and not sent yet.`
          : refusalWords(entry.refusal)}
      </p>
      <p className="flex gap-4">
        <button
          type="button"
          className={SMALL_BUTTON}
          onClick={() => outbox.discard(entry.clientMessageId)}
        >
          Discard
        </button>
        <button
          type="button"
          className={SMALL_BUTTON}
          onClick={() => {
            outbox.discard(entry.clientMessageId);
            onEdit(entry.text);
          }}
        >
          Edit
        </button>
        <button
          type="button"
          className={SMALL_BUTTON}
          onClick={() => outbox.sendAgain(entry.clientMessageId)}
        >
          {isHeld ? "Send now" : "Try again"}
        </button>
      </p>
    </div>
  );
}
