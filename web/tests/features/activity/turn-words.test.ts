import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  durationWords,
  outcomeWords,
  tokenWords,
  toolWords,
} from "../../../src/features/activity/turn-words";
import {
  Tool,
  ToolCallSchema,
  TurnOutcome,
  TurnSchema,
} from "../../../src/gen/inbox/assistant/v1/assistant_pb";
import { HandoverReason } from "../../../src/gen/inbox/messaging/v1/thread_pb";

test("how a turn ended is said with its reason, where there is one", () => {
  const words = (outcome: TurnOutcome, handoverReason = HandoverReason.UNSPECIFIED) =>
    outcomeWords(create(TurnSchema, { outcome, handoverReason }));

  expect(words(TurnOutcome.REPLIED)).toBe("It answered");
  expect(words(TurnOutcome.HANDED_OVER)).toBe("It handed over");
  expect(words(TurnOutcome.HANDED_OVER, HandoverReason.UNSURE)).toBe(
    "It handed over: it was not sure enough",
  );
  expect(words(99 as TurnOutcome)).toBe("It ended");
});

test("what a turn took reads as people say it", () => {
  expect(tokenWords(create(TurnSchema, { inputTokens: 1204n, outputTokens: 88n }))).toBe(
    "1,204 read, 88 written",
  );
  expect(tokenWords(create(TurnSchema))).toBe("");
  const millis = (nanos: number, seconds = 0n) =>
    durationWords({ $typeName: "google.protobuf.Duration", seconds, nanos });
  expect([millis(42_400_000), millis(400_000_000, 1n), durationWords(undefined)]).toEqual([
    "42 ms",
    "1.4 s",
    "",
  ]);
});

test("a tool that was refused is told from one that was used", () => {
  const call = { tool: Tool.HAND_OVER, isRefused: true };

  expect(toolWords(create(ToolCallSchema, call))).toBe("Hand over (refused)");
});
