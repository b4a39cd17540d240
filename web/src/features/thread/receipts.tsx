/** Everything known about one message's way to the customer. */

import { useEffect, useState } from "react";
import { DeliveryStatus, type Receipt } from "../../gen/inbox/messaging/v1/message_pb";
import { Button } from "../../ui/button";
import { Skeleton } from "../../ui/skeleton";
import { preciseTime, toDate } from "../../ui/time";
import { useSession } from "../session";
import { failureWords, receiptWords, sourceWords } from "./delivery-words";

type Loaded =
  | { state: "loading" }
  | { state: "failed" }
  | { state: "here"; receipts: readonly Receipt[] };

export function Receipts({
  messageId,
  version,
  timeZone,
}: {
  messageId: string;
  /** Of the message: a higher one may mean more receipts. */
  version: bigint;
  timeZone: string | undefined;
}) {
  const { services } = useSession();
  const [loaded, setLoaded] = useState<Loaded>({ state: "loading" });
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version or another try asks again
  useEffect(() => {
    let isCurrent = true;
    services.messaging.listReceipts({ messageId }).then(
      ({ receipts }) => isCurrent && setLoaded({ state: "here", receipts }),
      () => isCurrent && setLoaded({ state: "failed" }),
    );
    return () => {
      isCurrent = false;
    };
  }, [services, messageId, version, tries]);

  if (loaded.state === "loading") {
    return (
      <div className="flex flex-col gap-3">
        <Skeleton className="h-3.5 w-4/5" />
        <Skeleton className="h-3.5 w-3/5" />
      </div>
    );
  }
  if (loaded.state === "failed") {
    return (
      <div className="flex flex-col items-start gap-2 text-muted">
        The timeline could not be loaded.
        <Button onClick={() => setTries(tries + 1)}>Try again</Button>
      </div>
    );
  }
  const attempts = new Set(loaded.receipts.map((receipt) => receipt.attemptNumber)).size;
  return (
    <ol className="flex max-h-72 flex-col overflow-y-auto">
      {loaded.receipts.map((receipt, index) => (
        <ReceiptLine
          key={receipt.id}
          receipt={receipt}
          showsAttempt={attempts > 1}
          isLast={index === loaded.receipts.length - 1}
          timeZone={timeZone}
        />
      ))}
    </ol>
  );
}

function dotColor(status: DeliveryStatus): string {
  switch (status) {
    case DeliveryStatus.READ:
      return "bg-accent";
    case DeliveryStatus.REPORTED_FAILED:
    case DeliveryStatus.PRESUMED_FAILED:
      return "bg-danger-fill";
    default:
      return "bg-faint";
  }
}

function ReceiptLine({
  receipt,
  showsAttempt,
  isLast,
  timeZone,
}: {
  receipt: Receipt;
  showsAttempt: boolean;
  isLast: boolean;
  timeZone: string | undefined;
}) {
  const details = [
    showsAttempt ? `attempt ${receipt.attemptNumber}` : "",
    sourceWords(receipt.source),
    receipt.answerMillis > 0n ? `${receipt.answerMillis} ms` : "",
    receipt.author?.displayName ? `by ${receipt.author.displayName}` : "",
    receipt.failure?.platformCode ? `code ${receipt.failure.platformCode}` : "",
  ].filter(Boolean);
  return (
    <li className="relative flex gap-3 pb-3 last:pb-0">
      {!isLast && <span className="absolute top-3 bottom-0 left-[3.5px] w-px bg-line-strong" />}
      <span
        className={`relative mt-1.5 size-2 shrink-0 rounded-full ${dotColor(receipt.deliveryStatus)}`}
      />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{receiptWords(receipt.deliveryStatus)}</p>
        {receipt.failure && <p className="text-danger">{failureWords(receipt.failure).text}</p>}
        <p className="text-xs text-muted">{details.join(" · ")}</p>
      </div>
      {receipt.createTime && (
        <time className="shrink-0 text-xs text-faint tabular-nums">
          {preciseTime(toDate(receipt.createTime), timeZone)}
        </time>
      )}
    </li>
  );
}
