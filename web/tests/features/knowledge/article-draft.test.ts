import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  draftOf,
  kept,
  MAX_BODY_CHARACTERS,
  MAX_TITLE_CHARACTERS,
  NOTHING_YET,
  problemsOf,
  standingOf,
} from "../../../src/features/knowledge/article-draft";
import { verdictOf } from "../../../src/features/knowledge/verdict";
import { ArticleLanguage, ArticleSchema } from "../../../src/gen/inbox/assistant/v1/article_pb";
import { ProviderKind } from "../../../src/gen/inbox/assistant/v1/assistant_pb";
import { counted, lengthOf } from "../../../src/ui/length";

const article = create(ArticleSchema, {
  title: "Returns",
  body: "30 days",
  language: ArticleLanguage.ENGLISH,
  version: 3n,
});
const mine = { ...draftOf(article), body: "14 days" };

test("what nobody wrote in follows the article, whatever becomes of it", () => {
  expect(standingOf(null, article, false)).toBe("same");
  expect(standingOf(null, { ...article, version: 9n }, false)).toBe("same");
});

test("words of one's own are to be saved, until somebody else saved first", () => {
  expect(standingOf(mine, article, false)).toBe("changed");
  const theirs = { ...article, body: "60 days", version: 4n };

  expect(standingOf(mine, theirs, false)).toBe("behind");
  expect(standingOf(kept(mine, theirs), theirs, false)).toBe("changed");
});

test("the same words by somebody else are no conflict", () => {
  expect(standingOf(mine, { ...article, body: "14 days", version: 4n }, false)).toBe("same");
});

test("a deleted article is gone, written in or not", () => {
  expect(standingOf(mine, null, true)).toBe("gone");
  expect(standingOf(null, null, true)).toBe("gone");
});

test("a new article has something to save once something is written", () => {
  expect(standingOf(NOTHING_YET, null, false)).toBe("same");
  expect(standingOf({ ...NOTHING_YET, title: "Returns" }, null, false)).toBe("changed");
});

test("limits are those of the service, in characters as people count them", () => {
  expect(lengthOf("👍é")).toBe(2);
  expect(counted("👍é", 20_000)).toBe("2 of 20,000 characters.");
  expect(problemsOf({ ...mine, title: "👍".repeat(MAX_TITLE_CHARACTERS) })).toEqual({});
  expect(problemsOf({ ...mine, title: "x".repeat(MAX_TITLE_CHARACTERS + 1) }).title).toContain(
    "120",
  );
  expect(problemsOf({ ...mine, title: "  " }).title).toBe("Give it a title.");
  expect(problemsOf({ ...mine, body: "x".repeat(MAX_BODY_CHARACTERS + 1) }).body).toContain(
    "20,000",
  );
});

test("only a passage with enough of the question's words is an answer", () => {
  const passages = [{ coveragePercent: 60 }, { coveragePercent: 40 }];
  expect(verdictOf(ProviderKind.OFFLINE, passages, 60)).toBe("answers");
  expect(verdictOf(ProviderKind.OFFLINE, passages, 61)).toBe("unsure");
  expect(verdictOf(ProviderKind.OFFLINE, [], 1)).toBe("nothing");
  expect(verdictOf(ProviderKind.OPENAI, passages, 99)).toBe("reads");
  expect(verdictOf(ProviderKind.NONE, passages, 1)).toBe("elsewhere");
});
