/** Which rows of a long list of equal rows are worth rendering. */

import { type RefObject, useLayoutEffect, useState } from "react";

const OVERSCAN_ROWS = 8;

export interface RowWindow {
  readonly start: number;
  readonly end: number;
  readonly rowHeight: number;
}

/** `rowHeightRem` is in rem, so larger text makes larger rows. */
export function useRowWindow(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeightRem: number,
): RowWindow {
  const [view, setView] = useState({ first: 0, visible: 20, rowHeight: rowHeightRem * 16 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () => {
      const rootSize = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const rowHeight = rowHeightRem * rootSize;
      const first = Math.floor(element.scrollTop / rowHeight);
      const visible = Math.ceil(element.clientHeight / rowHeight);
      setView((before) =>
        before.first === first && before.visible === visible && before.rowHeight === rowHeight
          ? before
          : { first, visible, rowHeight },
      );
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [scroller, rowHeightRem]);
  return {
    start: Math.max(0, Math.min(view.first, count) - OVERSCAN_ROWS),
    end: Math.min(count, view.first + view.visible + OVERSCAN_ROWS),
    rowHeight: view.rowHeight,
  };
}
