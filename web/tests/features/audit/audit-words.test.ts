import { expect, test } from "vitest";
import { asWords, changedFields, commandWords, shortId } from "../../../src/features/audit/words";

test("commands and kinds read as words", () => {
  expect(commandWords("KnowledgeService/CreateArticle")).toBe("Create article");
  expect(commandWords("IdentityService/RevokeApiKey")).toBe("Revoke API key");
  expect(commandWords("manual_time_over")).toBe("Manual time over");
  expect(asWords("assistant_settings")).toBe("Assistant settings");
  expect(asWords("openai.base_url")).toBe("Openai base URL");
});

test("an id is as short as tells it apart", () => {
  expect(shortId("0190a7b2-1111-7222-8333-44445555abcd")).toBe("…5555abcd");
  expect(shortId("priority")).toBe("priority");
});

test("a change tells every field with its before and after", () => {
  expect(changedFields({ title: "a", gone: true }, { title: "b", tools: ["x"] })).toEqual([
    { name: "title", before: "a", after: "b" },
    { name: "gone", before: "true", after: null },
    { name: "tools", before: null, after: '["x"]' },
  ]);
  expect(changedFields(undefined, undefined)).toEqual([]);
});
