/** Rows for the team in plain words. Pure. */

import { type Author, AuthorKind, type SystemNote } from "../../gen/inbox/messaging/v1/message_pb";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import { HANDOVER_WORDS } from "../handover-words";

export function noteWords(note: SystemNote, ownId: string): string {
  const { kind } = note;
  switch (kind.case) {
    case "modeSwitched":
      return switchWords(kind.value.mode, kind.value.author, ownId);
    case "handover": {
      const reason = HANDOVER_WORDS[kind.value.reason] ?? "";
      return reason === "" ? "The AI handed over" : `The AI handed over: ${reason}`;
    }
    case "aiResumed":
      return "Nobody wrote for a while, so the AI took over again";
    case undefined:
      return "";
    default:
      return kind satisfies never;
  }
}

function switchWords(mode: ConversationMode, author: Author | undefined, ownId: string): string {
  const isAi = mode === ConversationMode.AI;
  switch (author?.kind) {
    case AuthorKind.PHONE_APP:
      return "Somebody answered from the phone, so the AI is paused";
    case AuthorKind.MEMBER: {
      const who = author.id === ownId ? "You" : author.displayName || "A colleague";
      return isAi ? `${who} let the AI answer` : `${who} took over from the AI`;
    }
    default:
      return isAi ? "The AI answers from here on" : "People answer from here on";
  }
}

/** "14:32", and from an hour on "1:05:00". Never below zero. */
export function countdown(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const clock = `${hours > 0 ? two(minutes) : minutes}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${clock}` : clock;
}
