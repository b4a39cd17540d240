import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_BODY_CHARACTERS } from "../../../src/features/knowledge/article-draft";
import { type Block, blocksOf } from "../../../src/features/knowledge/markdown";
import {
  followable,
  type Inline,
  inlinesOf,
} from "../../../src/features/knowledge/markdown-inline";
import { plainStart } from "../../../src/features/knowledge/plain-start";

const text = (words: string): Inline => ({ kind: "text", text: words });
const paragraph = (...children: Inline[]): Block => ({ kind: "paragraph", children });

test("what articles are made of is told apart", () => {
  const blocks = blocksOf(
    "# Returns\n\nWithin **30 days**,\nunused.\n\n- one\n- two\n  - deeper\n\n3. third\n\n> quoted\n\n---\n\n```\n# code\n```",
  );

  expect(blocks).toEqual([
    { kind: "heading", level: 1, children: [text("Returns")] },
    paragraph(text("Within "), { kind: "strong", children: [text("30 days")] }, text(",\nunused.")),
    {
      kind: "list",
      isOrdered: false,
      start: 1,
      items: [
        [paragraph(text("one"))],
        [
          paragraph(text("two")),
          { kind: "list", isOrdered: false, start: 1, items: [[paragraph(text("deeper"))]] },
        ],
      ],
    },
    { kind: "list", isOrdered: true, start: 3, items: [[paragraph(text("third"))]] },
    { kind: "quote", children: [paragraph(text("quoted"))] },
    { kind: "rule" },
    { kind: "code", text: "# code" },
  ]);
});

test("HTML is text like any other", () => {
  const html = '<img src=x onerror="alert(1)"> <script>alert(2)</script>';
  expect(blocksOf(html)).toEqual([paragraph(text(html))]);
});

test("a link leads to the web, a mailbox or a phone, and nowhere else", () => {
  expect(inlinesOf("[us](https://shop.example)")).toEqual([
    { kind: "link", href: "https://shop.example", children: [text("us")] },
  ]);
  expect(followable("mailto:a@b.example")).toBe("mailto:a@b.example");
  for (const address of ["javascript:alert(1)", "data:text/html,x", "/settings", "//evil", ""]) {
    expect(followable(address)).toBeNull();
    expect(inlinesOf(`[click](${address})`).some(({ kind }) => kind === "link")).toBe(false);
  }
});

test("a picture is named, not fetched", () => {
  expect(inlinesOf("see ![our shop](https://shop.example/a.png)")).toEqual([text("see our shop")]);
});

test("marks that mean nothing stay as they are", () => {
  for (const words of ["2 * 3 * 4", "snake_case_name", "a ** b", "**open", "`open", "[x]", "5*"]) {
    expect(inlinesOf(words)).toEqual([text(words)]);
  }
  expect(inlinesOf("\\*not emphasis\\*")).toEqual([text("*not emphasis*")]);
});

test("an address by itself can be followed, without the full stop after it", () => {
  expect(inlinesOf("At https://shop.example/a.")).toEqual([
    text("At "),
    {
      kind: "link",
      href: "https://shop.example/a",
      children: [text("https://shop.example/a")],
    },
    text("."),
  ]);
});

test("whatever is written, it ends, and no letter is lost", () => {
  const letters = (words: string) => words.replaceAll(/[^a-z]/gu, "");
  const part = fc.constantFrom(
    "a",
    "b",
    " ",
    "\n",
    "*",
    "**",
    "_",
    "`",
    "[",
    "](",
    ")",
    "> ",
    "- ",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const source = parts.join("");
      // But for the name of a language, and an address that leads nowhere.
      fc.pre(!/```|\]\(.*\)/u.test(source));
      expect(letters(wordsIn(blocksOf(source)))).toBe(letters(source));
    }),
  );
});

test("a fence hides the name of its language, and only an empty one ends it", () => {
  expect(wordsIn(blocksOf("```python\nfirst\n```second\nthird\n```\nafter"))).toBe(
    "first\n```second\nthirdafter",
  );
});

test("ten times the longest article, of nothing but marks, takes no time to speak of", () => {
  for (const mark of ["*a ", "**a ", "_a", "`", "[", "> ", "- ", "![a](", "```\n", "# "]) {
    const began = process.cpuUsage();
    blocksOf(mark.repeat((10 * MAX_BODY_CHARACTERS) / mark.length));
    // What takes the square of it would take minutes.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(5_000);
  }
});

test("a row tells how an article begins, in plain words", () => {
  expect(plainStart("# Returns\n\nWithin **30 days**.\n\n- [free](https://a.example)")).toBe(
    "Returns · Within 30 days. · free",
  );
});

function wordsIn(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      if (block.kind === "list") return block.items.map(wordsIn).join("");
      if (block.kind === "quote") return wordsIn(block.children);
      if (block.kind === "rule") return "";
      return block.kind === "code" ? block.text : block.children.map(wordsOf).join("");
    })
    .join("");
}

function wordsOf(inline: Inline): string {
  return "children" in inline ? inline.children.map(wordsOf).join("") : inline.text;
}
