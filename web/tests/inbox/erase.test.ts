/** What is erased goes at once, and an answer that was under way does not bring it back. */

import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type Conversation,
  ConversationSchema,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type Message, MessageSchema } from "../../src/gen/inbox/messaging/v1/message_pb";
import { type ServerFrame, ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";
import { applyFrame } from "../../src/inbox/apply";
import { withConversation, withPage } from "../../src/inbox/merge";
import { EMPTY_STATE, type InboxState } from "../../src/inbox/state";
import { threadMessages, unknownConversations } from "../../src/inbox/views";

const ID = "c1";

function message(seq: bigint): Message {
  return create(MessageSchema, { conversationId: ID, id: `m${seq}`, seq, text: `${seq}` });
}

function conversation(seq: bigint): Conversation {
  return create(ConversationSchema, {
    id: ID,
    contact: { id: "ana", displayName: "Ana", version: 1n },
    preview: { seq, text: `${seq}` },
    version: 1n,
  });
}

function told(state: InboxState, ...bodies: ServerFrame["body"][]): InboxState {
  return bodies.reduce(
    (known, body) => applyFrame(known, create(ServerFrameSchema, { body }), 0),
    state,
  );
}

const THREAD_ERASED = create(ServerFrameSchema, {
  body: { case: "threadErased", value: { conversationId: ID, lastSeq: 2n } },
}).body;
const CONVERSATION_ERASED = create(ServerFrameSchema, {
  body: { case: "conversationErased", value: { conversationId: ID } },
}).body;
const CONTACT_ERASED = create(ServerFrameSchema, {
  body: { case: "contactErased", value: { contactId: "ana" } },
}).body;

function opened(seq: bigint): ServerFrame["body"] {
  return create(ServerFrameSchema, {
    body: { case: "conversationOpened", value: { conversation: conversation(seq) } },
  }).body;
}

function known(): InboxState {
  return withPage(
    withConversation(EMPTY_STATE, conversation(2n)),
    ID,
    [message(1n), message(2n)],
    true,
  );
}

test("an erased conversation goes with its messages, its contact and its preview", () => {
  const state = told(known(), THREAD_ERASED, CONVERSATION_ERASED, CONTACT_ERASED);

  expect(state.conversations.size).toBe(0);
  expect(state.contacts.size).toBe(0);
  expect(threadMessages(state, ID)).toEqual([]);
  expect(unknownConversations(state)).toEqual([]);
});

test("pages that were asked for before bring nothing of it back", () => {
  const erased = told(known(), THREAD_ERASED, CONVERSATION_ERASED);

  const state = withPage(withConversation(erased, conversation(2n)), ID, [message(2n)], true);

  expect(state.conversations.size).toBe(0);
  expect(threadMessages(state, ID)).toEqual([]);
  expect(unknownConversations(state)).toEqual([]);
});

test("who comes back is shown with what was written since", () => {
  const erased = told(known(), THREAD_ERASED, CONVERSATION_ERASED);

  const state = withPage(told(erased, opened(3n)), ID, [message(3n)], true);

  expect(state.conversations.get(ID)?.version).toBe(1n);
  expect(state.projections.get(ID)?.preview?.seq).toBe(3n);
  expect(threadMessages(state, ID)?.map((one) => one.seq)).toEqual([3n]);
});

test("who came back before the old conversation was told to be gone stays", () => {
  const state = told(known(), THREAD_ERASED, CONVERSATION_ERASED, opened(3n));

  expect(told(state, CONTACT_ERASED).conversations.has(ID)).toBe(true);
});
