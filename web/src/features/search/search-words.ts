/** What is said about a search: how much it found, or why it found nothing. */

import { refusalOf } from "../../connection/refusal";
import type { FoundContact } from "../../gen/inbox/conversation/v1/contact_search_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import type { FoundMessage } from "../../gen/inbox/messaging/v1/search_pb";
import type { Found } from "../../inbox/search";

export interface Problem {
  readonly title: string;
  readonly words: string;
  /** The same question may be answered next time. */
  readonly canRetry: boolean;
}

export function problemOf(failure: unknown): Problem {
  const refusal = refusalOf(failure);
  switch (refusal.reason) {
    case Reason.QUERY_WITHOUT_WORDS:
      return {
        title: "Type a word",
        words: "Letters or digits are looked for, not signs alone.",
        canRetry: false,
      };
    case Reason.QUERY_TOO_MANY_WORDS:
      return {
        title: "Too many words",
        words: `At most ${refusal.metadata.max_count ?? "16"} different words are looked for at once.`,
        canRetry: false,
      };
    default:
      return {
        title: "The search did not work",
        words: refusal.isTransient
          ? "Inbox cannot be reached right now. Try again in a moment."
          : refusal.message,
        canRetry: true,
      };
  }
}

/** Empty where there is none. */
export function contactWords(found: Found<FoundContact> | null): string {
  const count = found?.items.length ?? 0;
  if (count === 0) return "";
  if (found?.nextPageToken !== "") return `The first ${count.toLocaleString()} contacts`;
  return count === 1 ? "1 contact" : `${count.toLocaleString()} contacts`;
}

/** Empty where there is none. */
export function countWords({ items, nextPageToken }: Found<FoundMessage>): string {
  const count = items.length;
  if (count === 0) return "";
  if (nextPageToken !== "") return `The best ${count.toLocaleString()} messages`;
  return count === 1 ? "1 message" : `${count.toLocaleString()} messages`;
}
