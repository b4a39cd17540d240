/** A turn of the AI in plain words. Pure. */

import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  ProviderKind,
  Tool,
  type ToolCall,
  type Turn,
  TurnOutcome,
} from "../../gen/inbox/assistant/v1/assistant_pb";
import { HANDOVER_WORDS } from "../handover-words";

const OUTCOMES: Record<TurnOutcome, string> = {
  [TurnOutcome.UNSPECIFIED]: "It ended",
  [TurnOutcome.REPLIED]: "It answered",
  [TurnOutcome.HANDED_OVER]: "It handed over",
  [TurnOutcome.SUPERSEDED]: "The customer wrote more first",
  [TurnOutcome.TAKEN_OVER]: "A person took over first",
  [TurnOutcome.SILENCED]: "It was silenced first",
  [TurnOutcome.REFUSED]: "The channel took no message",
};

export function outcomeWords({ outcome, handoverReason }: Turn): string {
  // One that is newer than this client is at least over.
  const words = OUTCOMES[outcome] ?? OUTCOMES[TurnOutcome.UNSPECIFIED];
  const reason = HANDOVER_WORDS[handoverReason] ?? "";
  return outcome === TurnOutcome.HANDED_OVER && reason !== "" ? `${words}: ${reason}` : words;
}

const PROVIDERS: Record<ProviderKind, string> = {
  [ProviderKind.UNSPECIFIED]: "Unknown",
  [ProviderKind.OFFLINE]: "Inbox itself",
  [ProviderKind.OPENAI]: "OpenAI-compatible",
  [ProviderKind.AGENT]: "Your agent program",
  [ProviderKind.NONE]: "Nobody",
};

export function providerWords({ provider }: Turn): string {
  return PROVIDERS[provider] ?? PROVIDERS[ProviderKind.UNSPECIFIED];
}

const TOOLS: Record<Tool, string> = {
  [Tool.UNSPECIFIED]: "Something that is no tool",
  [Tool.SEARCH_KNOWLEDGE]: "Search knowledge",
  [Tool.SAVE_CONTACT_FIELD]: "Save a contact field",
  [Tool.HAND_OVER]: "Hand over",
};

export function toolWords({ tool, isRefused }: ToolCall): string {
  const words = TOOLS[tool] ?? TOOLS[Tool.UNSPECIFIED];
  return isRefused ? `${words} (refused)` : words;
}

/** "1,204 read, 88 written"; empty where the provider counts none. */
export function tokenWords({ inputTokens, outputTokens }: Turn): string {
  if (inputTokens === 0n && outputTokens === 0n) return "";
  const [read, written] = [inputTokens, outputTokens].map((count) => count.toLocaleString("en-US"));
  return `${read} read, ${written} written`;
}

/** "42 ms", "1.4 s"; empty where it is not known. */
export function durationWords(duration: Duration | undefined): string {
  if (duration === undefined) return "";
  const millis = Number(duration.seconds) * 1e3 + duration.nanos / 1e6;
  return millis < 1e3 ? `${Math.round(millis)} ms` : `${(millis / 1e3).toFixed(1)} s`;
}
