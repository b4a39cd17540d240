/**
 * Markdown as a tree: headings, lists, quotes, code, emphasis and links, which is what articles use. HTML in it is text
 * like any other. Takes time in proportion to the text, whatever the text is.
 */

import { type Inline, inlinesOf } from "./markdown-inline";

export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "list"; isOrdered: boolean; start: number; items: Block[][] }
  | { kind: "quote"; children: Block[] }
  | { kind: "code"; text: string }
  | { kind: "rule" };

/** Deeper than anybody writes; beyond it, marks are text. */
const MAX_DEPTH = 6;
/** What follows it names a language, which nobody is shown. */
const FENCE = /^ {0,3}(```|~~~)/u;
const FENCE_END = /^ {0,3}(```|~~~)\s*$/u;
const HEADING = /^ {0,3}(#{1,6})(?: +(.*))?$/u;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/u;
const ITEM = /^ {0,3}([-+*]|\d{1,9}[.)])(?: +|$)/u;
const QUOTE = /^ {0,3}> ?/u;

export function blocksOf(source: string): Block[] {
  return parse(source.replaceAll("\t", "    ").split(/\r\n|\r|\n/u), 0);
}

class Lines {
  #at = 0;
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get next(): string | null {
    return this.#lines[this.#at] ?? null;
  }

  take(): string {
    this.#at += 1;
    return this.#lines[this.#at - 1] ?? "";
  }

  takeWhile(goesOn: (line: string) => boolean): string[] {
    const taken: string[] = [];
    while (this.next !== null && goesOn(this.next)) taken.push(this.take());
    return taken;
  }
}

function parse(source: readonly string[], depth: number): Block[] {
  const lines = new Lines(source);
  const blocks: Block[] = [];
  for (let line = lines.next; line !== null; line = lines.next) {
    if (isBlank(line)) lines.take();
    else blocks.push(blockAt(lines, line, depth));
  }
  return blocks;
}

function blockAt(lines: Lines, line: string, depth: number): Block {
  const fence = FENCE.exec(line)?.[1];
  if (fence !== undefined) {
    lines.take();
    const code = lines.takeWhile((next) => FENCE_END.exec(next)?.[1] !== fence);
    lines.take();
    return { kind: "code", text: code.join("\n") };
  }
  const [, marks = "", words = ""] = HEADING.exec(line) ?? [];
  if (marks !== "") {
    lines.take();
    const text = words.trim().replace(/(^| )#+$/u, "");
    return { kind: "heading", level: marks.length, children: inlinesOf(text) };
  }
  if (RULE.test(line)) {
    lines.take();
    return { kind: "rule" };
  }
  if (QUOTE.test(line) && depth < MAX_DEPTH) {
    const quoted = lines.takeWhile((next) => QUOTE.test(next));
    const inner = quoted.map((next) => next.replace(QUOTE, ""));
    return { kind: "quote", children: parse(inner, depth + 1) };
  }
  if (ITEM.test(line) && depth < MAX_DEPTH) return listAt(lines, line, depth);
  const text = [lines.take(), ...lines.takeWhile((next) => !isBlank(next) && !startsBlock(next))];
  return { kind: "paragraph", children: inlinesOf(text.map((part) => part.trim()).join("\n")) };
}

/** Items of one kind; what is indented below an item belongs to it. */
function listAt(lines: Lines, first: string, depth: number): Block {
  const isOrdered = isNumbered(first);
  const items: Block[][] = [];
  for (let line = lines.next; line !== null; line = lines.next) {
    const mark = ITEM.exec(line)?.[0];
    if (mark === undefined || isNumbered(line) !== isOrdered || RULE.test(line)) break;
    const head = lines.take().slice(mark.length);
    const below = lines.takeWhile((next) => isBlank(next) || next.startsWith("  "));
    const inner = [head, ...below.map((next) => next.slice(indentOf(next, mark.length)))];
    items.push(parse(inner, depth + 1));
  }
  return { kind: "list", isOrdered, start: isOrdered ? Number.parseInt(first, 10) : 1, items };
}

function isNumbered(line: string): boolean {
  return /^ *\d/u.test(line);
}

/** How far a line is indented, as far as that makes it part of the item. */
function indentOf(line: string, most: number): number {
  return Math.min(most, line.length - line.trimStart().length);
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function startsBlock(line: string): boolean {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
}
