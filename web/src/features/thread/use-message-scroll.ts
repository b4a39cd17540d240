/**
 * Keeps the view where the reader is: at the newest message while they are there, else on the row they read,
 * whatever is added above or below it. The browser's own anchoring is off, so that there is one rule.
 */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** This close to the end counts as reading the newest message. */
const NEAR_END_PIXELS = 48;
/** This close to the start, older messages are fetched. */
const NEAR_START_PIXELS = 600;
/** Rows in the DOM at most, and how many come or go at once when the window moves. */
const MAX_ROWS = 300;
const STEP_ROWS = 100;

/** A row by its lower edge: its upper part shrinks when its author's earlier words come to stand above it. */
interface Anchor {
  readonly key: string;
  readonly bottom: number;
}

export interface MessageScroll {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** Rows `start` to `end` belong into the DOM. */
  readonly start: number;
  readonly end: number;
  readonly isAtEnd: boolean;
  toEnd(): void;
}

export function useMessageScroll(options: {
  rowCount: number;
  /** Changes when rows change. */
  revision: unknown;
  /** Where to begin, once there are rows; null is the end. */
  beginAtKey: string | null;
  onNearStart: () => void;
}): MessageScroll {
  const { rowCount, revision, beginAtKey, onNearStart } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const sticks = useRef(true);
  const hasBegun = useRef(false);
  const [hiddenBelow, setHiddenBelow] = useState(0);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const end = Math.max(0, rowCount - hiddenBelow);
  const start = Math.max(0, end - MAX_ROWS);
  const latest = useRef({ start, hiddenBelow, onNearStart });
  latest.current = { start, hiddenBelow, onNearStart };

  const hold = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    if (sticks.current) {
      box.scrollTop = box.scrollHeight;
      return;
    }
    const held = anchor.current;
    const row =
      held && content.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(held.key)}"]`);
    if (held && row) box.scrollTop = row.offsetTop + row.offsetHeight - held.bottom;
  }, []);

  const look = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    const { start, hiddenBelow, onNearStart } = latest.current;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    const isNearEnd = below <= NEAR_END_PIXELS && hiddenBelow === 0;
    sticks.current = isNearEnd;
    setIsAtEnd(isNearEnd);
    anchor.current = firstVisible(box, content.current);
    if (box.scrollTop < NEAR_START_PIXELS) {
      if (start > 0) setHiddenBelow(hiddenBelow + Math.min(STEP_ROWS, start));
      else onNearStart();
    } else if (below < NEAR_START_PIXELS && hiddenBelow > 0) {
      setHiddenBelow(Math.max(0, hiddenBelow - STEP_ROWS));
    }
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of rows may move what is read
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || rowCount === 0) return;
    if (!hasBegun.current) {
      hasBegun.current = true;
      box.scrollTop = box.scrollHeight;
      const row =
        beginAtKey && content.current?.querySelector<HTMLElement>(`[data-row="${beginAtKey}"]`);
      if (row) box.scrollTop = Math.min(box.scrollTop, row.offsetTop - box.clientHeight / 4);
      look();
      return;
    }
    hold();
    anchor.current = firstVisible(box, content.current);
  }, [revision, start, end, hold, look]);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return;
    box.addEventListener("scroll", look, { passive: true });
    // A keyboard that opens, a composer that grows, a font that arrives: hold on to what is read.
    const observer = new ResizeObserver(hold);
    observer.observe(box);
    observer.observe(inner);
    return () => {
      box.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [look, hold]);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setHiddenBelow(0);
    setIsAtEnd(true);
    hold();
  }, [hold]);

  return { scroller, content, start, end, isAtEnd, toEnd };
}

function firstVisible(box: HTMLElement, content: HTMLElement | null): Anchor | null {
  if (content === null) return null;
  for (const row of content.querySelectorAll<HTMLElement>("[data-row]")) {
    const bottom = row.offsetTop + row.offsetHeight - box.scrollTop;
    if (bottom > 0) return { key: row.dataset.row ?? "", bottom };
  }
  return null;
}
