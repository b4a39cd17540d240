/** Drafts of articles that are not saved, kept on this machine per member. */

import { readItem, removeItem, writeItem } from "../../connection/local-storage";
import { ArticleLanguage } from "../../gen/inbox/assistant/v1/article_pb";
import type { Draft } from "./article-draft";

function keyOf(memberId: string, entry: string): string {
  return `inbox.article.${memberId}.${entry}`;
}

export function readKept(memberId: string, entry: string): Draft | null {
  try {
    const kept = JSON.parse(readItem(keyOf(memberId, entry)) ?? "null") as Record<string, unknown>;
    if (typeof kept?.title !== "string" || typeof kept.body !== "string") return null;
    const language = Number(kept.language);
    return {
      title: kept.title,
      body: kept.body,
      language: language in ArticleLanguage ? language : ArticleLanguage.UNSPECIFIED,
      baseVersion: BigInt(String(kept.baseVersion)),
    };
  } catch {
    // Not ours, or of another version of this client.
    return null;
  }
}

export function keep(memberId: string, entry: string, draft: Draft): void {
  const text = JSON.stringify({ ...draft, baseVersion: String(draft.baseVersion) });
  writeItem(keyOf(memberId, entry), text);
}

export function forget(memberId: string, entry: string): void {
  removeItem(keyOf(memberId, entry));
}

export function hasKept(memberId: string, entry: string): boolean {
  return readItem(keyOf(memberId, entry)) !== null;
}
