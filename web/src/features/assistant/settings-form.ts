/**
 * How the AI behaves, as a form. Only what somebody edits is held: everything else is what the service has, so that what
 * a colleague saves meanwhile shows at once, and saving sends nothing but one's own changes.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  type AssistantSettings,
  ProviderKind,
  Tool,
} from "../../gen/inbox/assistant/v1/assistant_pb";
import type { UpdateAssistantSettingsRequestSchema } from "../../gen/inbox/assistant/v1/assistant_service_pb";

/** By the names of the fields that the service refuses. */
export interface SettingsForm {
  readonly provider: ProviderKind;
  readonly display_name: string;
  readonly instructions: string;
  /** Sorted. */
  readonly allowed_tools: readonly Tool[];
  /** Numbers as they are typed; times in seconds. */
  readonly reply_delay: string;
  readonly longest_reply_delay: string;
  readonly answer_within: string;
  readonly min_coverage_percent: string;
  readonly context_size: string;
  readonly "openai.base_url": string;
  readonly "openai.model": string;
  readonly "openai.max_output_tokens": string;
  readonly "openai.max_turn_tokens": string;
  readonly "agent.address": string;
  readonly "agent.is_plaintext": boolean;
  /** Empty keeps the stored one, which nobody sees. */
  readonly api_key: string;
  readonly forgets_api_key: boolean;
}

export type FieldName = keyof SettingsForm;
export type Edits = Partial<SettingsForm>;

const TIMES = ["reply_delay", "longest_reply_delay", "answer_within"] as const;
const COUNTS = [
  "min_coverage_percent",
  "context_size",
  "openai.max_output_tokens",
  "openai.max_turn_tokens",
] as const;

export const FIELD_LABELS: Record<FieldName, string> = {
  provider: "Where answers come from",
  display_name: "Name",
  instructions: "Instructions",
  allowed_tools: "What it may do",
  reply_delay: "Wait after a message",
  longest_reply_delay: "Wait at most",
  answer_within: "Answer within",
  min_coverage_percent: "Words that must match",
  context_size: "Messages it reads",
  "openai.base_url": "Address",
  "openai.model": "Model",
  "openai.max_output_tokens": "Longest answer",
  "openai.max_turn_tokens": "Most for one turn",
  "agent.address": "Address of your program",
  "agent.is_plaintext": "Call it without TLS",
  api_key: "Key",
  forgets_api_key: "Forget the stored key",
};

export function formOf(settings: AssistantSettings): SettingsForm {
  const { openai, agent } = settings;
  return {
    provider: settings.provider,
    display_name: settings.displayName,
    instructions: settings.instructions,
    allowed_tools: [...settings.allowedTools].sort(),
    reply_delay: secondsOf(settings.replyDelay),
    longest_reply_delay: secondsOf(settings.longestReplyDelay),
    answer_within: secondsOf(settings.answerWithin),
    min_coverage_percent: String(settings.minCoveragePercent),
    context_size: String(settings.contextSize),
    "openai.base_url": openai?.baseUrl ?? "",
    "openai.model": openai?.model ?? "",
    "openai.max_output_tokens": String(openai?.maxOutputTokens ?? ""),
    "openai.max_turn_tokens": String(openai?.maxTurnTokens ?? ""),
    "agent.address": agent?.address ?? "",
    "agent.is_plaintext": agent?.isPlaintext ?? false,
    api_key: "",
    forgets_api_key: false,
  };
}

/** Without what is again as the service has it. */
export function edited(edits: Edits, news: Edits, settings: AssistantSettings): Edits {
  return changedIn({ ...edits, ...news }, formOf(settings));
}

/** What a colleague saved of the very fields that were edited here since `base`. */
export function overtaken(
  edits: Edits,
  base: AssistantSettings,
  settings: AssistantSettings,
): FieldName[] {
  const theirs = changedIn(formOf(settings), formOf(base));
  return namesIn(changedIn(edits, formOf(settings))).filter((name) => name in theirs);
}

/** What cannot even be sent. The ranges are the service's to check: it says them at the field. */
export function problemsOf(edits: Edits): Partial<Record<FieldName, string>> {
  const problems: Partial<Record<FieldName, string>> = {};
  for (const name of TIMES) {
    if (edits[name] !== undefined && !/^\d+(\.\d{1,3})?$/u.test(edits[name].trim())) {
      problems[name] = "Write a number of seconds.";
    }
  }
  for (const name of COUNTS) {
    if (edits[name] !== undefined && !/^\d{1,9}$/u.test(edits[name].trim())) {
      problems[name] = "Write a whole number.";
    }
  }
  return problems;
}

/** The request that makes the settings so; without its id. */
export function requestOf(
  edits: Edits,
  settings: AssistantSettings,
): MessageInitShape<typeof UpdateAssistantSettingsRequestSchema> {
  const form = { ...formOf(settings), ...edits };
  const has = (prefix: string) => namesIn(edits).some((name) => name.startsWith(prefix));
  const time = (name: (typeof TIMES)[number]) =>
    edits[name] === undefined ? undefined : durationOf(edits[name]);
  const count = (name: (typeof COUNTS)[number]) =>
    edits[name] === undefined ? undefined : Number(edits[name]);
  return {
    expectedVersion: settings.version,
    provider: edits.provider,
    displayName: edits.display_name,
    instructions: edits.instructions,
    allowedTools: edits.allowed_tools && { tools: [...edits.allowed_tools] },
    replyDelay: time("reply_delay"),
    longestReplyDelay: time("longest_reply_delay"),
    answerWithin: time("answer_within"),
    minCoveragePercent: count("min_coverage_percent"),
    contextSize: count("context_size"),
    // Endpoint and agent are changed as a whole.
    openai: has("openai.")
      ? {
          baseUrl: form["openai.base_url"].trim(),
          model: form["openai.model"].trim(),
          maxOutputTokens: Number(form["openai.max_output_tokens"]),
          maxTurnTokens: Number(form["openai.max_turn_tokens"]),
        }
      : undefined,
    agent: has("agent.")
      ? { address: form["agent.address"].trim(), isPlaintext: form["agent.is_plaintext"] }
      : undefined,
    apiKey: form.api_key !== "" ? form.api_key : form.forgets_api_key ? "" : undefined,
  };
}

/** The fields on screen: each provider has its own. */
export function isShown(name: FieldName, provider: ProviderKind): boolean {
  switch (provider) {
    case ProviderKind.OFFLINE:
      return !/^(openai|agent)\.|api_key|context_size/u.test(name);
    case ProviderKind.OPENAI:
      return !/^agent\.|min_coverage/u.test(name);
    case ProviderKind.AGENT:
      return !/^openai\.|min_coverage/u.test(name);
    case ProviderKind.NONE:
      return name === "provider" || name === "display_name";
    case ProviderKind.UNSPECIFIED:
      return name === "provider";
    default:
      return provider satisfies never;
  }
}

export const TOOLS = [Tool.SEARCH_KNOWLEDGE, Tool.SAVE_CONTACT_FIELD, Tool.HAND_OVER] as const;

export function withTool(tools: readonly Tool[], tool: Tool, isAllowed: boolean): readonly Tool[] {
  const others = tools.filter((other) => other !== tool);
  return (isAllowed ? [...others, tool] : others).sort();
}

export function secondsOf(duration: Duration | undefined): string {
  const millis = Number(duration?.seconds ?? 0n) * 1_000 + Math.round((duration?.nanos ?? 0) / 1e6);
  return String(millis / 1_000);
}

export function durationOf(seconds: string): { seconds: bigint; nanos: number } {
  const millis = Math.round(Number(seconds) * 1_000);
  return { seconds: BigInt(Math.floor(millis / 1_000)), nanos: (millis % 1_000) * 1_000_000 };
}

function changedIn(edits: Edits, form: SettingsForm): Edits {
  const changed = namesIn(edits).filter((name) => String(edits[name]) !== String(form[name]));
  return Object.fromEntries(changed.map((name) => [name, edits[name]]));
}

function namesIn(edits: Edits): FieldName[] {
  return Object.keys(edits) as FieldName[];
}
