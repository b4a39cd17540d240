import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type FoundMessage, FoundMessageSchema } from "../../src/gen/inbox/messaging/v1/search_pb";
import {
  ASKED_AFTER_MILLIS,
  groupsOf,
  partsOf,
  Search,
  type SearchPage,
} from "../../src/inbox/search";
import { FakeEnvironment, settle } from "../fake-environment";

interface Question {
  readonly query: string;
  readonly pageToken: string;
  readonly signal: AbortSignal;
  answer(ids: readonly string[], nextPageToken?: string): Promise<void>;
  fail(): Promise<void>;
}

/** A search whose questions are answered by the test, in whatever order. */
function aSearch() {
  const environment = new FakeEnvironment();
  const questions: Question[] = [];
  const search = new Search<FoundMessage>(
    (query, pageToken, signal) =>
      new Promise<SearchPage<FoundMessage>>((answered, failed) => {
        questions.push({
          query,
          pageToken,
          signal,
          answer: (ids, nextPageToken = "") => {
            const items = ids.map((id) => found(id));
            answered({ items, nextPageToken, isRebuilding: false });
            return settle();
          },
          fail: () => {
            failed(new Error("away"));
            return settle();
          },
        });
      }),
    ({ messageId }) => messageId,
    {
      now: () => environment.now(),
      wait: (millis) => new Promise((done) => void environment.after(millis, () => done())),
    },
  );
  return {
    search,
    questions,
    question: (index: number) => questions[index] ?? expect.fail(`no question ${index}`),
    pass: (millis = ASKED_AFTER_MILLIS) => environment.pass(millis),
    ids: () => search.value.found?.items.map((message) => message.messageId),
  };
}

function found(messageId: string, conversationId = "c") {
  return create(FoundMessageSchema, { messageId, conversationId });
}

describe("typing", () => {
  test("asks once for what stands there when the fingers rest", async () => {
    const { search, questions, question, pass, ids } = aSearch();
    for (const text of ["l", "la", "lam", "lamp"]) {
      void search.type(text);
      await pass(ASKED_AFTER_MILLIS - 1);
    }
    expect(questions).toHaveLength(0);
    expect(search.value).toMatchObject({ text: "lamp", isAsking: true, found: null });

    await pass(1);
    expect(questions.map(({ query }) => query)).toEqual(["lamp"]);
    await question(0).answer(["m1", "m2"]);

    expect(ids()).toEqual(["m1", "m2"]);
    expect(search.value.isAsking).toBe(false);
  });

  test("ends the question before, whose answer shows nothing any more, however late it comes", async () => {
    const { search, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    void search.type("lamps");
    expect(question(0).signal.aborted).toBe(true);
    await pass();

    await question(1).answer(["right"]);
    await question(0).answer(["wrong"]);

    expect(ids()).toEqual(["right"]);
    expect(search.value.found?.query).toBe("lamps");
  });

  test("is not troubled by the failure of a question that was ended", async () => {
    const { search, question, pass } = aSearch();
    void search.type("lamp");
    await pass();
    void search.type("lamps");
    await question(0).fail();

    expect(search.value).toMatchObject({ isAsking: true, failure: null });
  });

  test("keeps what was found on screen while the next question is under way", async () => {
    const { search, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).answer(["m1"]);

    void search.type("lamps");
    await pass();

    expect(ids()).toEqual(["m1"]);
    expect(search.value).toMatchObject({ text: "lamps", isAsking: true, found: { query: "lamp" } });
  });

  test("a space at the end is no new question", async () => {
    const { search, questions, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).answer(["m1"]);
    void search.type("lamp ");
    await pass();

    expect(questions).toHaveLength(1);
    expect(ids()).toEqual(["m1"]);
    expect(search.value.text).toBe("lamp ");
  });

  test("clearing ends everything, also a question that was not asked yet", async () => {
    const { search, questions, question, pass } = aSearch();
    void search.type("lamp");
    await pass();
    search.clear();
    await question(0).answer(["m1"]);
    expect(search.value).toMatchObject({ text: "", found: null, isAsking: false });

    void search.type("lamp");
    search.clear();
    await pass();
    expect(questions).toHaveLength(1);
  });
});

describe("pages", () => {
  test("come one after the other, each message once", async () => {
    const { search, questions, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).answer(["m1", "m2"], "further");

    void search.more();
    void search.more();
    expect(questions.map(({ pageToken }) => pageToken)).toEqual(["", "further"]);
    await question(1).answer(["m2", "m3"]);

    expect(ids()).toEqual(["m1", "m2", "m3"]);
    void search.more();
    expect(questions).toHaveLength(2);
  });

  test("that are empty but not the last are gone past by themselves, so many and no more", async () => {
    const { search, questions, question, pass } = aSearch();
    void search.type("rare");
    await pass();
    for (let page = 0; page < 5; page += 1) await question(page).answer([], `t${page}`);

    expect(questions).toHaveLength(5);
    expect(search.value).toMatchObject({
      isAsking: false,
      found: { items: [], nextPageToken: "t4" },
    });
    void search.more();
    expect(question(5).pageToken).toBe("t4");
  });

  test("of the words before are not added to what is found now", async () => {
    const { search, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).answer(["m1"], "further");
    void search.more();
    void search.type("table");
    await pass();
    await question(2).answer(["t1"]);
    await question(1).answer(["m2"]);

    expect(ids()).toEqual(["t1"]);
  });
});

describe("a failure", () => {
  test("is told, and asking again answers the same words", async () => {
    const { search, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).fail();
    expect(search.value.failure).toBeInstanceOf(Error);

    void search.more();
    expect(search.value).toMatchObject({ isAsking: true, failure: null });
    await question(1).answer(["m1"]);
    expect(ids()).toEqual(["m1"]);
  });

  test("of a further page keeps those before, and the way on", async () => {
    const { search, question, pass, ids } = aSearch();
    void search.type("lamp");
    await pass();
    await question(0).answer(["m1"], "further");
    void search.more();
    await question(1).fail();
    expect(ids()).toEqual(["m1"]);

    void search.more();
    expect(question(2).pageToken).toBe("further");
    await question(2).answer(["m2"]);
    expect(ids()).toEqual(["m1", "m2"]);
    expect(search.value.failure).toBeNull();
  });
});

test("what was found stands by conversation, the best first", () => {
  const groups = groupsOf([found("1", "bo"), found("2", "ana"), found("3", "bo")]);

  expect(groups.map((g) => [g.conversationId, g.messages.map((m) => m.messageId)])).toEqual([
    ["bo", ["1", "3"]],
    ["ana", ["2"]],
  ]);
});

test("a snippet is cut where its highlights are, counted in UTF-16 as the service counts", () => {
  const message = create(FoundMessageSchema, {
    snippet: "👋 Hello lamp, lamps!",
    highlights: [
      { start: 9, length: 4 },
      { start: 15, length: 5 },
    ],
  });

  expect(
    partsOf(message.snippet, message.highlights).map(({ text, isSought }) =>
      isSought ? `[${text}]` : text,
    ),
  ).toEqual(["👋 Hello ", "[lamp]", ", ", "[lamps]", "!"]);
});

test("a highlight that the snippet does not have changes no word of it", () => {
  const message = create(FoundMessageSchema, {
    snippet: "lamp",
    highlights: [
      { start: 0, length: 4 },
      { start: 2, length: 9 },
      { start: 40, length: 2 },
    ],
  });

  expect(partsOf(message.snippet, message.highlights).map(({ text }) => text)).toEqual(["lamp"]);
});
