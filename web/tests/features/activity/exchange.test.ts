import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type ExchangeApi, readExchange } from "../../../src/features/activity/exchange";
import { type Turn, TurnSchema } from "../../../src/gen/inbox/assistant/v1/assistant_pb";
import {
  type Message,
  MessageDirection,
  MessageSchema,
} from "../../../src/gen/inbox/messaging/v1/message_pb";

/** A conversation in which every second message is an answer; newest first. */
function conversation(count: number): Message[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = BigInt(count - index);
    const isInbound = seq % 2n === 1n;
    return create(MessageSchema, {
      id: `m${seq}`,
      seq,
      text: `${isInbound ? "question" : "answer"} ${seq}`,
      inboundOrdinal: (seq + 1n) / 2n,
      direction: isInbound ? MessageDirection.INBOUND : MessageDirection.OUTBOUND,
    });
  });
}

function apiOf(messages: readonly Message[]): ExchangeApi & { pages: number } {
  const api = {
    pages: 0,
    getMessage: async (id: string) => messages.find((message) => message.id === id) ?? null,
    listMessages: async (_: string, beforeSeq: bigint, pageSize: number) => {
      api.pages += 1;
      const before = messages.filter(({ seq }) => beforeSeq === 0n || seq < beforeSeq);
      return { messages: before.slice(0, pageSize), hasMore: before.length > pageSize };
    },
  };
  return api;
}

function turn(number: bigint, seenOrdinal: bigint, messageId = ""): Turn {
  return create(TurnSchema, { conversationId: "c", number, seenOrdinal, messageId });
}

test("an answered turn is read right before its answer, wherever that stands", async () => {
  const api = apiOf(conversation(2_000));

  const { questions, answer } = await readExchange(api, turn(49n, 50n, "m100"));

  expect(questions.map(({ text }) => text)).toEqual(["question 97", "question 99"]);
  expect(answer?.text).toBe("answer 100");
  expect(api.pages).toBe(1);
});

test("a turn without an answer is looked for from the newest on, so far and no further", async () => {
  const near = apiOf(conversation(300));
  expect((await readExchange(near, turn(2n, 2n))).questions.map(({ id }) => id)).toEqual(["m3"]);

  const far = apiOf(conversation(2_000));
  expect((await readExchange(far, turn(2n, 2n))).questions).toEqual([]);
  expect(far.pages).toBe(5);
});

test("what was erased is not there any more, and that is no failure", async () => {
  expect(await readExchange(apiOf([]), turn(1n, 1n, "m1"))).toEqual({
    questions: [],
    answer: null,
  });
});
