/** The key "/" goes to the search from anywhere but a text field or a dialog. */

import { type RefObject, useEffect } from "react";

export function useSearchKey(box: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.defaultPrevented || isTakingText(event.target) || isInDialog()) return;
      // On a phone the list may be out of sight.
      if (box.current === null || !box.current.checkVisibility()) return;
      event.preventDefault();
      box.current.focus();
      box.current.select();
    }
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [box]);
}

function isTakingText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

function isInDialog(): boolean {
  return document.querySelector('[role="dialog"], [role="menu"]') !== null;
}
