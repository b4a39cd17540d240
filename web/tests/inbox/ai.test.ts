import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AuthorKind, type MessageSchema } from "../../src/gen/inbox/messaging/v1/message_pb";
import { ConversationMode } from "../../src/gen/inbox/messaging/v1/thread_pb";
import { ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";
import { applyFrame } from "../../src/inbox/apply";
import { EMPTY_STATE, type InboxState } from "../../src/inbox/state";

type Body = MessageInitShape<typeof ServerFrameSchema>["body"];

const conversationId = "c1";

function after(...bodies: Body[]): InboxState {
  return bodies
    .map((body) => create(ServerFrameSchema, { body }))
    .reduce((state, frame) => applyFrame(state, frame, 0), EMPTY_STATE);
}

function created(message: MessageInitShape<typeof MessageSchema>): Body {
  return {
    case: "messageCreated",
    value: {
      thread: { conversationId, version: 2n },
      message: { id: "m1", conversationId, seq: 1n, ...message },
    },
  };
}

test("the AI is not writing any more once its message is there, or somebody else answers", () => {
  const writes: Body = { case: "aiWriting", value: { conversationId, isWriting: true } };
  const takenOver: Body = {
    case: "modeChanged",
    value: { thread: { conversationId, version: 2n, mode: ConversationMode.MANUAL } },
  };
  const isWriting = (state: InboxState) => state.aiWritingUntil.has(conversationId);

  expect(isWriting(after(writes, created({ author: { kind: AuthorKind.CUSTOMER } })))).toBe(true);
  expect(isWriting(after(writes, created({ author: { kind: AuthorKind.AI } })))).toBe(false);
  expect(isWriting(after(writes, takenOver))).toBe(false);
});

test("a handover is news by the row that tells of it", () => {
  const row = created({
    systemNote: { kind: { case: "handover", value: { summary: "They want a person." } } },
  });

  expect(after(row).newestHandover?.id).toBe("m1");
});
