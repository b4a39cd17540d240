/** Marks as read what was on screen for half a second in a tab that somebody looks at; nothing else does. */

import { type RefObject, useEffect } from "react";

const LOOK_EVERY_MILLIS = 250;
const SEEN_AFTER_MILLIS = 500;
/** After a mark that could not be stored. */
const PAUSE_MILLIS = 5_000;

export function useReadMarks(
  scroller: RefObject<HTMLElement | null>,
  isOn: boolean,
  onSeen: (ordinal: bigint) => Promise<void>,
): void {
  useEffect(() => {
    if (!isOn) return;
    const visibleSince = new Map<bigint, number>();
    let pausedUntil = 0;
    const timer = setInterval(() => {
      const visible = isLookedAt() ? visibleOrdinals(scroller.current) : [];
      const now = performance.now();
      for (const ordinal of visibleSince.keys()) {
        if (!visible.includes(ordinal)) visibleSince.delete(ordinal);
      }
      let seen = 0n;
      for (const ordinal of visible) {
        const since = visibleSince.get(ordinal) ?? now;
        visibleSince.set(ordinal, since);
        if (now - since >= SEEN_AFTER_MILLIS && ordinal > seen) seen = ordinal;
      }
      if (seen === 0n || now < pausedUntil) return;
      onSeen(seen).catch(() => {
        // Not lost: what is on screen is marked again, only not four times a second.
        pausedUntil = performance.now() + PAUSE_MILLIS;
      });
    }, LOOK_EVERY_MILLIS);
    return () => clearInterval(timer);
  }, [scroller, isOn, onSeen]);
}

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** Ordinals of inbound bubbles of which at least half, or half a screen, can be seen. */
function visibleOrdinals(box: HTMLElement | null): bigint[] {
  if (box === null) return [];
  const frame = box.getBoundingClientRect();
  const visible: bigint[] = [];
  for (const row of box.querySelectorAll<HTMLElement>("[data-ordinal]")) {
    const { top, bottom, height } = row.getBoundingClientRect();
    const shown = Math.min(bottom, frame.bottom) - Math.max(top, frame.top);
    if (shown > 0 && shown >= Math.min(height, frame.height) / 2) {
      visible.push(BigInt(row.dataset.ordinal ?? "0"));
    }
  }
  return visible;
}
