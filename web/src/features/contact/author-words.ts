/** Who wrote something down about a contact, and when. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Author, AuthorKind } from "../../gen/inbox/messaging/v1/message_pb";
import { listTime, toDate } from "../../ui/time";

export function authorWords(author: Author | undefined, ownId: string): string {
  if (author === undefined) return "";
  if (author.id === ownId) return "You";
  if (author.kind === AuthorKind.AI) return author.displayName || "AI";
  return author.displayName || "A colleague";
}

export function timeWords(
  time: Timestamp | undefined,
  today: Date,
  timeZone: string | undefined,
): string {
  return time === undefined ? "" : listTime(toDate(time), today, timeZone);
}
