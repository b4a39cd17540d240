/** How far a message got, and why not, in plain words. The table is the only place that has them. */

import type { Refusal } from "../../connection/refusal";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import {
  type DeliveryFailure,
  DeliveryStatus,
  FailureReason,
  ReceiptSource,
} from "../../gen/inbox/messaging/v1/message_pb";

export type Progress = "sending" | "sent" | "delivered" | "read" | "failed";

/** The five states a person sees; null for messages that were not sent by us. */
export function progressOf(status: DeliveryStatus): Progress | null {
  switch (status) {
    case DeliveryStatus.UNSPECIFIED:
      return null;
    case DeliveryStatus.QUEUED:
    case DeliveryStatus.SENDING:
    case DeliveryStatus.UNKNOWN:
      return "sending";
    case DeliveryStatus.PRESUMED_FAILED:
    case DeliveryStatus.REPORTED_FAILED:
      return "failed";
    case DeliveryStatus.SENT:
      return "sent";
    case DeliveryStatus.DELIVERED:
      return "delivered";
    case DeliveryStatus.READ:
      return "read";
    default:
      return status satisfies never;
  }
}

export const PROGRESS_NAMES: Record<Progress, string> = {
  sending: "Sending",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  failed: "Failed",
};

export interface FailureWords {
  readonly text: string;
  /** Retrying may reach the customer a second time. */
  readonly warning: string | null;
  readonly canRetry: boolean;
  readonly pointsToChannel: boolean;
}

export function failureWords(failure: DeliveryFailure | undefined): FailureWords {
  const reason = failure?.reason ?? FailureReason.UNSPECIFIED;
  const mayHaveArrived = failure?.mayHaveArrived === true || reason === FailureReason.NO_ANSWER;
  return {
    text: failureText(reason),
    warning: mayHaveArrived
      ? "It may have arrived: after Retry the customer may get it twice."
      : null,
    canRetry: failure?.isRetryable !== false,
    pointsToChannel:
      reason === FailureReason.CHANNEL_NEEDS_RECONNECTION ||
      reason === FailureReason.CHANNEL_NOT_CONNECTED ||
      reason === FailureReason.ACCOUNT_BLOCKED,
  };
}

function failureText(reason: FailureReason): string {
  switch (reason) {
    case FailureReason.CHANNEL_NEEDS_RECONNECTION:
      return "The channel needs to be connected again.";
    case FailureReason.CHANNEL_NOT_CONNECTED:
      return "The channel is disconnected.";
    case FailureReason.RECIPIENT_UNAVAILABLE:
      return "The customer cannot be reached there any more.";
    case FailureReason.CONTENT_REJECTED:
      return "The platform refuses this content. Write it differently.";
    case FailureReason.WINDOW_CLOSED:
      return "The time for free replies is over until the customer writes again.";
    case FailureReason.RATE_LIMITED:
      return "The platform’s limit was reached. Try again in a few minutes.";
    case FailureReason.NETWORK:
      return "The platform could not be reached.";
    case FailureReason.NO_ANSWER:
      return "The platform did not answer.";
    case FailureReason.TAKEN_OVER:
      return "Not sent: you took over.";
    case FailureReason.PLATFORM_ERROR:
      return "The platform failed on its side.";
    case FailureReason.ACCOUNT_BLOCKED:
      return "The account is blocked or unpaid at the platform.";
    case FailureReason.UNSPECIFIED:
      return "It could not be sent.";
    default:
      return reason satisfies never;
  }
}

/** Why the service did not take a message of ours. */
export function refusalWords(refusal: Refusal | null): string {
  switch (refusal?.reason) {
    case Reason.CONVERSATION_IN_AI_MODE:
      return "Not sent: the AI is managing this conversation. Take manual control, then try again.";
    case Reason.TEXT_TOO_LONG:
      return `Not sent: longer than this channel allows${refusal.metadata.limit ? ` (${refusal.metadata.limit})` : ""}.`;
    case Reason.TEXT_EMPTY:
      return "Not sent: there is nothing in it.";
    case Reason.ROLE_NOT_ALLOWED:
      return "Not sent: your role may read, not write.";
    case Reason.CHANNEL_NOT_CONNECTED:
      return "Not sent: the channel is disconnected.";
    case Reason.CHANNEL_NEEDS_RECONNECTION:
      return "Not sent: the channel needs to be connected again.";
    case Reason.CONVERSATION_NOT_FOUND:
      return "Not sent: this conversation is gone.";
    default:
      return refusal?.message ? `Not sent: ${refusal.message}` : "Not sent.";
  }
}

/** One line of a message's timeline. */
export function receiptWords(status: DeliveryStatus): string {
  switch (status) {
    case DeliveryStatus.UNSPECIFIED:
      return "Noted";
    case DeliveryStatus.QUEUED:
      return "Stored, waiting for its turn";
    case DeliveryStatus.SENDING:
      return "Handed to the platform";
    case DeliveryStatus.UNKNOWN:
      return "No answer yet; waiting for proof";
    case DeliveryStatus.PRESUMED_FAILED:
      return "Counted as failed: no proof in time";
    case DeliveryStatus.SENT:
      return "Accepted by the platform";
    case DeliveryStatus.REPORTED_FAILED:
      return "Failed";
    case DeliveryStatus.DELIVERED:
      return "On the customer’s device";
    case DeliveryStatus.READ:
      return "Seen by the customer";
    default:
      return status satisfies never;
  }
}

export function sourceWords(source: ReceiptSource): string {
  switch (source) {
    case ReceiptSource.API:
      return "Inbox";
    case ReceiptSource.DISPATCH:
      return "platform’s answer";
    case ReceiptSource.WEBHOOK:
      return "platform’s report";
    case ReceiptSource.WEB_CHAT:
      return "chat box";
    case ReceiptSource.DEADLINE:
      return "deadline";
    case ReceiptSource.UNSPECIFIED:
      return "";
    default:
      return source satisfies never;
  }
}
