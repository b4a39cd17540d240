/** Markdown as it is read: elements made one by one, never markup. */

import { Fragment, type ReactNode, useMemo } from "react";
import { type Block, blocksOf } from "./markdown";
import type { Inline } from "./markdown-inline";

const HEADINGS = ["h3", "h4", "h5", "h6"] as const;
const HEADING_LOOKS = ["text-lg", "text-base", "text-sm", "text-sm text-muted"] as const;

export function MarkdownView({ source }: { source: string }) {
  const blocks = useMemo(() => withOutline(blocksOf(source)), [source]);
  return <div className="flex flex-col gap-3 text-base break-words">{blocks.map(shown)}</div>;
}

/** Headings of a page follow each other without a gap, whatever the article begins with. */
function withOutline(blocks: readonly Block[]): readonly Block[] {
  let deepest = 0;
  return blocks.map((block) => {
    if (block.kind !== "heading") return block;
    deepest = Math.min(block.level, deepest + 1, HEADINGS.length);
    return { ...block, level: deepest };
  });
}

function shown(block: Block, at: number): ReactNode {
  switch (block.kind) {
    case "heading": {
      const Heading = HEADINGS[block.level - 1] ?? "h6";
      const look = HEADING_LOOKS[block.level - 1] ?? "";
      return (
        <Heading key={at} className={`mt-2 font-semibold first:mt-0 ${look}`}>
          {block.children.map(words)}
        </Heading>
      );
    }
    case "paragraph":
      return (
        <p key={at} className="whitespace-pre-line">
          {block.children.map(words)}
        </p>
      );
    case "list": {
      const List = block.isOrdered ? "ol" : "ul";
      return (
        <List
          key={at}
          start={block.isOrdered ? block.start : undefined}
          className={`flex flex-col gap-1 pl-6 ${block.isOrdered ? "list-decimal" : "list-disc"}`}
        >
          {block.items.map((item, number) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parsed anew on every change, nothing moves
            <li key={number}>
              <div className="flex flex-col gap-1">{item.map(shown)}</div>
            </li>
          ))}
        </List>
      );
    }
    case "quote":
      return (
        <blockquote
          key={at}
          className="flex flex-col gap-2 border-l-3 border-line-strong pl-3 text-muted"
        >
          {block.children.map(shown)}
        </blockquote>
      );
    case "code":
      return (
        <pre
          key={at}
          className="rounded-lg bg-canvas px-3 py-2 font-mono text-xs break-words whitespace-pre-wrap"
        >
          {block.text}
        </pre>
      );
    case "rule":
      return <hr key={at} className="border-line" />;
    default:
      return block satisfies never;
  }
}

function words(inline: Inline, at: number): ReactNode {
  switch (inline.kind) {
    case "text":
      return <Fragment key={at}>{inline.text}</Fragment>;
    case "code":
      return (
        <code key={at} className="rounded bg-canvas px-1 font-mono text-[0.9em]">
          {inline.text}
        </code>
      );
    case "strong":
      return <strong key={at}>{inline.children.map(words)}</strong>;
    case "emphasis":
      return <em key={at}>{inline.children.map(words)}</em>;
    case "link":
      return (
        <a
          key={at}
          href={inline.href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="text-accent-text underline underline-offset-2"
        >
          {inline.children.map(words)}
        </a>
      );
    default:
      return inline satisfies never;
  }
}
