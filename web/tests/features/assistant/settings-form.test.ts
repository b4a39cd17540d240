import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { minutesOf, resumeAfter } from "../../../src/features/assistant/resume-minutes";
import {
  durationOf,
  type Edits,
  edited,
  formOf,
  isShown,
  overtaken,
  problemsOf,
  requestOf,
  secondsOf,
  withTool,
} from "../../../src/features/assistant/settings-form";
import {
  AssistantSettingsSchema,
  ProviderKind,
  Tool,
} from "../../../src/gen/inbox/assistant/v1/assistant_pb";

const SETTINGS = create(AssistantSettingsSchema, {
  provider: ProviderKind.OFFLINE,
  displayName: "Assistant",
  allowedTools: [Tool.SEARCH_KNOWLEDGE, Tool.HAND_OVER],
  replyDelay: { seconds: 2n },
  longestReplyDelay: { seconds: 8n },
  answerWithin: { seconds: 20n },
  minCoveragePercent: 60,
  contextSize: 30,
  openai: { maxOutputTokens: 600, maxTurnTokens: 20_000 },
  agent: {},
  version: 4n,
});

/** What a request changes besides the version it expects. */
function sent(edits: Edits) {
  const { expectedVersion, ...change } = requestOf(edits, SETTINGS);
  expect(expectedVersion).toBe(4n);
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

test("only what was edited is sent, and what is as before again is not", () => {
  expect(sent({})).toEqual({});
  const edits = edited({}, { display_name: "Flora", reply_delay: "2.5" }, SETTINGS);
  expect(sent(edits)).toEqual({
    displayName: "Flora",
    replyDelay: { seconds: 2n, nanos: 500_000_000 },
  });
  expect(edited(edits, { display_name: "Assistant", reply_delay: "2" }, SETTINGS)).toEqual({});
});

test("an endpoint is sent as a whole, with what was not edited of it", () => {
  const edits = { provider: ProviderKind.OPENAI, "openai.model": " gpt " };
  expect(sent(edits)).toEqual({
    provider: ProviderKind.OPENAI,
    openai: { baseUrl: "", model: "gpt", maxOutputTokens: 600, maxTurnTokens: 20_000 },
  });
});

test("the stored key is kept unless another is written or it is to be forgotten", () => {
  expect(sent({ display_name: "Flora" })).not.toHaveProperty("apiKey");
  expect(sent({ api_key: "sk-1" })).toEqual({ apiKey: "sk-1" });
  expect(sent({ forgets_api_key: true })).toEqual({ apiKey: "" });
});

test("what a colleague saved of other fields is no conflict, of the same fields it is", () => {
  const edits = { display_name: "Flora", reply_delay: "5" };
  const elsewhere = { ...SETTINGS, contextSize: 10 };
  expect(overtaken(edits, SETTINGS, elsewhere)).toEqual([]);

  const same = { ...SETTINGS, displayName: "Ivy" };
  expect(overtaken(edits, SETTINGS, same)).toEqual(["display_name"]);
  expect(overtaken(edits, same, same)).toEqual([]);
  expect(overtaken({ display_name: "Ivy" }, SETTINGS, same)).toEqual([]);
});

test("what is no number is not sent", () => {
  expect(problemsOf({ reply_delay: "2.5", context_size: "30" })).toEqual({});
  expect(Object.keys(problemsOf({ reply_delay: "soon", context_size: "1.5" }))).toEqual([
    "reply_delay",
    "context_size",
  ]);
  expect(problemsOf({ "openai.max_turn_tokens": "" })).toHaveProperty(["openai.max_turn_tokens"]);
});

test("each provider has fields of its own, and every field of the form is somebody's", () => {
  expect(isShown("openai.model", ProviderKind.OPENAI)).toBe(true);
  expect(isShown("openai.model", ProviderKind.AGENT)).toBe(false);
  expect(isShown("min_coverage_percent", ProviderKind.OFFLINE)).toBe(true);
  expect(isShown("min_coverage_percent", ProviderKind.OPENAI)).toBe(false);
  expect(isShown("reply_delay", ProviderKind.NONE)).toBe(false);
  for (const name of Object.keys(formOf(SETTINGS)) as (keyof Edits)[]) {
    const providers = [ProviderKind.OFFLINE, ProviderKind.OPENAI, ProviderKind.AGENT];
    expect(providers.some((provider) => isShown(name, provider))).toBe(true);
  }
});

test("a tool is allowed once, or not", () => {
  expect(withTool([Tool.HAND_OVER], Tool.SEARCH_KNOWLEDGE, true)).toEqual([
    Tool.SEARCH_KNOWLEDGE,
    Tool.HAND_OVER,
  ]);
  expect(withTool([Tool.HAND_OVER], Tool.HAND_OVER, true)).toEqual([Tool.HAND_OVER]);
  expect(withTool([Tool.HAND_OVER], Tool.HAND_OVER, false)).toEqual([]);
});

test("times come back as they were written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000 }), (millis) => {
      const { seconds, nanos } = durationOf(String(millis / 1_000));
      expect(Number(secondsOf({ $typeName: "google.protobuf.Duration", seconds, nanos }))).toBe(
        millis / 1_000,
      );
    }),
  );
});

test("minutes become whole seconds; 0 is never", () => {
  expect(minutesOf(undefined)).toBe("0");
  expect(resumeAfter("0")).toEqual({ seconds: 0n });
  expect(resumeAfter("15")).toEqual({ seconds: 900n });
  expect(resumeAfter("0,5")).toEqual({ seconds: 30n });
  expect(resumeAfter("soon")).toBeNull();
  expect(resumeAfter("-1")).toBeNull();
});
