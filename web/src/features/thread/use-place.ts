/** Going to a message that was looked for: its row comes to the middle, takes the focus and stands out for a moment. */

import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { Row } from "./rows";
import type { Goal } from "./use-message-scroll";

/** Long enough to find it with the eyes. */
const MARKED_FOR_MILLIS = 2_500;

/** Where the message is among the rows; null while it is not there. */
export function useGoal(at: { readonly seq: bigint } | null, rows: readonly Row[]): Goal | null {
  return useMemo(() => {
    if (at === null) return null;
    const index = rows.findIndex((row) => row.kind === "bubble" && row.message?.seq === at.seq);
    const row = rows[index];
    return row === undefined ? null : { place: at, key: row.key, index };
  }, [at, rows]);
}

/** The key of the row that stands out. */
export function useMarkedRow(
  goal: Goal | null,
  content: RefObject<HTMLElement | null>,
): string | null {
  const [marked, setMarked] = useState<string | null>(null);
  const shownFor = useRef<object | null>(null);
  const { place = null, key = "" } = goal ?? {};
  useEffect(() => {
    if (place === null || shownFor.current === place) return;
    shownFor.current = place;
    setMarked(key);
    content.current
      ?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"] [tabindex="-1"]`)
      ?.focus({ preventScroll: true });
  }, [place, key, content]);
  useEffect(() => {
    if (marked === null) return;
    const timer = setTimeout(() => setMarked(null), MARKED_FOR_MILLIS);
    return () => clearTimeout(timer);
  }, [marked]);
  return marked;
}
