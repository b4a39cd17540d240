import fc from "fast-check";
import { expect, test } from "vitest";
import { inkOn, safeColor } from "../../src/chat/color";
import { holeAfter, join, joinPage, messageOf, NO_HISTORY } from "../../src/chat/history";

function message(seq: number, version = 1) {
  return messageOf({
    id: `m${seq}`,
    seq: String(seq),
    version: String(version),
    authorKind: "VISITOR_AUTHOR_KIND_AGENT",
    text: `${seq}.${version}`,
    createTime: "2026-11-23T10:00:00Z",
  });
}

test("messages in any order, doubled and changed, come to the same history", () => {
  const news = fc.array(
    fc.record({ seq: fc.integer({ min: 1, max: 9 }), version: fc.integer({ min: 1, max: 3 }) }),
  );
  fc.assert(
    fc.property(news, fc.array(fc.nat(), { minLength: 1 }), (facts, keys) => {
      const messages = facts.map(({ seq, version }) => message(seq, version));
      const mixed = messages
        .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item);
      const texts = (list: typeof messages) => join(NO_HISTORY, list).messages.map((m) => m.text);
      expect(texts([...mixed, ...mixed])).toEqual(texts(messages));
    }),
  );
});

test("nothing new changes nothing", () => {
  const history = join(NO_HISTORY, [message(1), message(2)]);
  expect(join(history, [message(1), message(2)])).toBe(history);
});

test("what the box has is counted up to the first hole only", () => {
  const loaded = joinPage(NO_HISTORY, [message(5), message(4)]);
  const history = join(loaded, [message(8)]);
  expect(history.wholeUpTo).toBe(5);
  expect(holeAfter(history)).toBe(5);
  expect(holeAfter(join(history, [message(6), message(7)]))).toBeNull();
});

test("a hole that the page behind it does not fill is the business's own row, and is none", () => {
  const history = join(joinPage(NO_HISTORY, [message(1), message(2)]), [message(4), message(5)]);
  expect(holeAfter(history)).toBe(2);

  const asked = joinPage(history, [message(4)]);

  expect(holeAfter(asked)).toBeNull();
  expect(asked.wholeUpTo).toBe(5);
  expect(holeAfter(join(asked, [message(6)]))).toBeNull();
});

test("what comes before the first page is counted once that is there", () => {
  const early = join(NO_HISTORY, [message(9)]);
  expect(early.wholeUpTo).toBe(0);
  expect(joinPage(early, [message(8), message(7)]).wholeUpTo).toBe(9);
});

test("a conversation that begins while the box is open is whole from its first message", () => {
  expect(join(joinPage(NO_HISTORY, []), [message(1), message(2)]).wholeUpTo).toBe(2);
});

test("only a plain colour is taken, and its text can be read", () => {
  expect(safeColor("#0a7")).toBeNull();
  expect(safeColor("red;background:url(//x)")).toBeNull();
  expect(safeColor("#00AA77")).toBe("#00AA77");
  expect(inkOn("#2360e8")).toBe("#ffffff");
  expect(inkOn("#ffd400")).toBe("#14171f");
});
