/**
 * Keeps the view where the reader is: at the newest message while they are there, else on the row they read,
 * whatever is added above or below it. The browser's own anchoring is off, so that there is one rule.
 */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** This close to the end counts as reading the newest message. */
const NEAR_END_PIXELS = 48;
/** This close to either end of what is loaded, more is fetched. */
const FETCH_PIXELS = 600;
/** Rows in the DOM at most, and how many come or go at once when the window moves. */
const MAX_ROWS = 300;
const STEP_ROWS = 100;

/** A row by its lower edge: its upper part shrinks when its author's earlier words come to stand above it. */
interface Anchor {
  readonly key: string;
  readonly bottom: number;
}

/** A row to show. */
export interface Goal {
  /** What it is gone to for, once. */
  readonly place: object;
  readonly key: string;
  readonly index: number;
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
  goal: Goal | null;
  /** Newer messages are not loaded: the last row is not the newest. */
  hasNewer: boolean;
  onNearStart: () => void;
  onNearEnd: () => void;
}): MessageScroll {
  const { rowCount, revision, beginAtKey, goal, hasNewer, onNearStart, onNearEnd } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const sticks = useRef(true);
  const hasBegun = useRef(false);
  const reached = useRef<object | null>(null);
  const [hiddenBelow, setHiddenBelow] = useState(0);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const end = Math.max(0, rowCount - hiddenBelow);
  const start = Math.max(0, end - MAX_ROWS);
  const latest = useRef({ start, hiddenBelow, hasNewer, onNearStart, onNearEnd });
  latest.current = { start, hiddenBelow, hasNewer, onNearStart, onNearEnd };

  const hold = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    if (sticks.current) {
      box.scrollTop = box.scrollHeight;
      return;
    }
    const held = anchor.current;
    const row = held && rowOf(content.current, held.key);
    if (held && row) box.scrollTop = row.offsetTop + row.offsetHeight - held.bottom;
  }, []);

  const look = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    const { start, hiddenBelow, hasNewer, onNearStart, onNearEnd } = latest.current;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    const isNearEnd = below <= NEAR_END_PIXELS && hiddenBelow === 0 && !hasNewer;
    sticks.current = isNearEnd;
    setIsAtEnd(isNearEnd);
    anchor.current = firstVisible(box, content.current);
    if (box.scrollTop < FETCH_PIXELS) {
      if (start > 0) setHiddenBelow(hiddenBelow + Math.min(STEP_ROWS, start));
      else onNearStart();
    } else if (below < FETCH_PIXELS && hiddenBelow > 0) {
      setHiddenBelow(Math.max(0, hiddenBelow - STEP_ROWS));
    }
    if (below < FETCH_PIXELS && hiddenBelow === 0 && hasNewer) onNearEnd();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of rows may move what is read
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || rowCount === 0) return;
    const isBeginning = !hasBegun.current;
    hasBegun.current = true;
    if (goal !== null && goal.place !== reached.current) {
      sticks.current = false;
      const row = rowOf(content.current, goal.key);
      if (row === null) {
        // It is drawn in the middle of as many rows as are drawn at once, and then gone to.
        setHiddenBelow(Math.max(0, rowCount - goal.index - MAX_ROWS / 2));
        return;
      }
      reached.current = goal.place;
      box.scrollTop = row.offsetTop - (box.clientHeight - row.offsetHeight) / 2;
      look();
    } else if (isBeginning) {
      box.scrollTop = box.scrollHeight;
      const row = beginAtKey === null ? null : rowOf(content.current, beginAtKey);
      if (row) box.scrollTop = Math.min(box.scrollTop, row.offsetTop - box.clientHeight / 4);
      look();
    } else {
      hold();
      anchor.current = firstVisible(box, content.current);
    }
  }, [revision, goal, start, end, hold, look]);

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

function rowOf(content: HTMLElement | null, key: string): HTMLElement | null {
  return content?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`) ?? null;
}

function firstVisible(box: HTMLElement, content: HTMLElement | null): Anchor | null {
  if (content === null) return null;
  for (const row of content.querySelectorAll<HTMLElement>("[data-row]")) {
    const bottom = row.offsetTop + row.offsetHeight - box.scrollTop;
    if (bottom > 0) return { key: row.dataset.row ?? "", bottom };
  }
  return null;
}
