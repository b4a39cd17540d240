/** How an article begins, as one line of plain words. */

import { type Block, blocksOf } from "./markdown";
import type { Inline } from "./markdown-inline";

const LONGEST = 160;
/** Enough of the article for a line of it. */
const LOOKED_AT = 1_000;

export function plainStart(body: string): string {
  const words = blocksOf(body.slice(0, LOOKED_AT)).map(plainOf).filter(Boolean).join(" · ");
  return words.replaceAll(/\s+/gu, " ").slice(0, LONGEST);
}

function plainOf(block: Block): string {
  switch (block.kind) {
    case "heading":
    case "paragraph":
      return block.children.map(wordsOf).join("");
    case "list":
      return block.items.map((item) => item.map(plainOf).join(" ")).join(", ");
    case "quote":
      return block.children.map(plainOf).join(" ");
    case "code":
      return block.text;
    case "rule":
      return "";
    default:
      return block satisfies never;
  }
}

function wordsOf(inline: Inline): string {
  return "children" in inline ? inline.children.map(wordsOf).join("") : inline.text;
}
