import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { countdown, noteWords } from "../../src/features/thread/note-words";
import { AuthorKind, SystemNoteSchema } from "../../src/gen/inbox/messaging/v1/message_pb";
import { ConversationMode, HandoverReason } from "../../src/gen/inbox/messaging/v1/thread_pb";

function switched(mode: ConversationMode, kind: AuthorKind, id = "ana", displayName = "Ana") {
  const author = { kind, id, displayName };
  return create(SystemNoteSchema, {
    kind: { case: "modeSwitched", value: { mode, author } },
  } as never);
}

function handedOver(reason: HandoverReason) {
  return create(SystemNoteSchema, { kind: { case: "handover", value: { reason } } } as never);
}

test("who switched is named, and whoever did it themselves is told so", () => {
  const { AI, MANUAL } = ConversationMode;
  expect(noteWords(switched(MANUAL, AuthorKind.MEMBER), "bo")).toBe("Ana took over from the AI");
  expect(noteWords(switched(MANUAL, AuthorKind.MEMBER), "ana")).toBe("You took over from the AI");
  expect(noteWords(switched(AI, AuthorKind.MEMBER), "bo")).toBe("Ana let the AI answer");
  expect(noteWords(switched(MANUAL, AuthorKind.PHONE_APP, "", ""), "bo")).toContain("phone");
});

test("every reason of a handover has words, or stands for itself", () => {
  for (const reason of Object.values(HandoverReason)) {
    if (typeof reason !== "number") continue;
    expect(noteWords(handedOver(reason), "bo")).toMatch(/^The AI handed over(: .+)?$/);
  }
});

test("a note that this client does not know has no words", () => {
  expect(noteWords(create(SystemNoteSchema, {}), "bo")).toBe("");
});

test("the time left is minutes and seconds, with hours where there are any, never below zero", () => {
  expect(countdown(872_000)).toBe("14:32");
  expect(countdown(59_999)).toBe("0:59");
  expect(countdown(5_000)).toBe("0:05");
  expect(countdown(3_900_000)).toBe("1:05:00");
  expect(countdown(-5)).toBe("0:00");
});
