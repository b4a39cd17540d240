/** An article as somebody writes it, and what to do when somebody else was faster. */

import { type Article, ArticleLanguage } from "../../gen/inbox/assistant/v1/article_pb";
import { lengthOf } from "../../ui/length";

/** As the service has them; it counts characters, not UTF-16 units. */
export const MAX_TITLE_CHARACTERS = 120;
export const MAX_BODY_CHARACTERS = 20_000;
export const MAX_ARTICLES = 500;

export interface Words {
  readonly title: string;
  readonly body: string;
  readonly language: ArticleLanguage;
}

/** What somebody wrote and has not saved. */
export interface Draft extends Words {
  /** The version these words began with; 0 for a new article. */
  readonly baseVersion: bigint;
}

export type Standing =
  /** Nothing to save. */
  | "same"
  /** To be saved. */
  | "changed"
  /** Somebody else saved meanwhile: a person chooses. */
  | "behind"
  /** Somebody else deleted it meanwhile: a person chooses. */
  | "gone";

export const NOTHING_YET: Draft = {
  title: "",
  body: "",
  language: ArticleLanguage.UNSPECIFIED,
  baseVersion: 0n,
};

export function draftOf({ title, body, language, version }: Article): Draft {
  return { title, body, language, baseVersion: version };
}

/** How what was written stands to the article as it is now; null where nothing was, and for an article not there yet. */
export function standingOf(
  written: Draft | null,
  article: Article | null,
  isGone: boolean,
): Standing {
  if (isGone) return "gone";
  if (written === null) return "same";
  if (article === null) return isSame(written, NOTHING_YET) ? "same" : "changed";
  if (isSame(written, article)) return "same";
  return article.version > written.baseVersion ? "behind" : "changed";
}

/** Their version was seen, and these words are to replace it. */
export function kept(written: Draft, article: Article): Draft {
  return { ...written, baseVersion: article.version };
}

/** What the service would refuse, by field; empty when it can be saved. */
export function problemsOf({ title, body }: Words): { title?: string; body?: string } {
  const problems: { title?: string; body?: string } = {};
  if (title.trim() === "") problems.title = "Give it a title.";
  else if (lengthOf(title.trim()) > MAX_TITLE_CHARACTERS) {
    problems.title = `At most ${MAX_TITLE_CHARACTERS} characters.`;
  }
  if (lengthOf(body) > MAX_BODY_CHARACTERS) {
    problems.body = `At most ${MAX_BODY_CHARACTERS.toLocaleString("en-US")} characters.`;
  }
  return problems;
}

function isSame(a: Words, b: Words): boolean {
  return a.title === b.title && a.body === b.body && a.language === b.language;
}
