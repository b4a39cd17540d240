/** Somebody's words as text, never as markup; web addresses in it can be followed. */

import { Fragment, memo } from "react";

const ADDRESS = /https?:\/\/[^\s<>"'`]+/giu;
const NOT_AT_THE_END = /[.,;:!?)\]}»”’]+$/u;

export const LinkedText = memo(function LinkedText({ text }: { text: string }) {
  const parts: { text: string; href: string | null; at: number }[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(NOT_AT_THE_END, "");
    if (match.index > at) parts.push({ text: text.slice(at, match.index), href: null, at });
    parts.push({ text: address, href: address, at: match.index });
    at = match.index + address.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), href: null, at });
  return parts.map((part) =>
    part.href === null ? (
      <Fragment key={part.at}>{part.text}</Fragment>
    ) : (
      <a
        key={part.at}
        href={part.href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        className="underline underline-offset-2"
      >
        {part.text}
      </a>
    ),
  );
});
