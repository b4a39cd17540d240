/** How a tag is called and colored. */

import type { CSSProperties } from "react";
import { type Tag, TagColor } from "../gen/inbox/conversation/v1/tag_pb";

/** In the order of the palette; `variable` is of tokens.css. */
export const PALETTE: readonly { color: TagColor; name: string; variable: string }[] = [
  { color: TagColor.GRAY, name: "Grey", variable: "--tag-gray" },
  { color: TagColor.RED, name: "Red", variable: "--tag-red" },
  { color: TagColor.ORANGE, name: "Orange", variable: "--tag-orange" },
  { color: TagColor.AMBER, name: "Amber", variable: "--tag-amber" },
  { color: TagColor.GREEN, name: "Green", variable: "--tag-green" },
  { color: TagColor.TEAL, name: "Teal", variable: "--tag-teal" },
  { color: TagColor.BLUE, name: "Blue", variable: "--tag-blue" },
  { color: TagColor.PURPLE, name: "Purple", variable: "--tag-purple" },
  { color: TagColor.PINK, name: "Pink", variable: "--tag-pink" },
];

/** A color that is newer than this client is shown as gray. */
export function colorOf(color: TagColor): string {
  const found = PALETTE.find((one) => one.color === color);
  return `var(${found?.variable ?? "--tag-gray"})`;
}

export function tagName(tag: Tag): string {
  return tag.displayName || (tag.isBuiltIn ? "Priority" : tag.key);
}

export function TagDot({ color }: { color: TagColor }) {
  return (
    <span
      aria-hidden="true"
      className="size-2 shrink-0 rounded-full"
      style={{ backgroundColor: colorOf(color) }}
    />
  );
}

export function TagLabel({ tag }: { tag: Tag }) {
  return (
    <span
      style={{ "--tag": colorOf(tag.color) } as CSSProperties}
      className="inline-block max-w-40 truncate rounded-md bg-[color-mix(in_srgb,var(--tag)_14%,transparent)] px-1.5 py-0.5 text-xs font-medium text-(--tag)"
    >
      {tagName(tag)}
    </span>
  );
}
