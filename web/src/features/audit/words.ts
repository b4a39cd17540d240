/** The audit's names as people read them. */

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

const SHORTHANDS: Readonly<Record<string, string>> = { api: "API", ai: "AI", url: "URL", id: "id" };

/** "KnowledgeService/CreateArticle" is "Create article"; "manual_time_over" is "Manual time over". */
export function commandWords(command: string): string {
  const method = command.split("/").at(-1) ?? command;
  return asWords(method.replaceAll(/([a-z])([A-Z])/gu, "$1_$2"));
}

/** "assistant_settings" is "Assistant settings". */
export function asWords(name: string): string {
  const words = name.split(/[_.]/u).map((word) => {
    const lower = word.toLowerCase();
    return SHORTHANDS[lower] ?? lower;
  });
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Enough of an id to tell it from others on the page. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}

export interface ChangedField {
  readonly name: string;
  /** Null where there was, or is, none. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Every field that an entry tells of, in the order of its first mention. */
export function changedFields(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): readonly ChangedField[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].map((name) => ({
    name,
    before: textOf(before?.[name]),
    after: textOf(after?.[name]),
  }));
}

function textOf(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
