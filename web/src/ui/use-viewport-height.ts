/** Keeps --viewport-height at what the phone's keyboard leaves, where the layout itself is not resized by it. */

import { useEffect } from "react";

export function useViewportHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (viewport === null) return;
    const measure = () => {
      // Pinch zoom shrinks the visual viewport as well; that is no keyboard.
      if (viewport.scale > 1.01) return;
      document.documentElement.style.setProperty("--viewport-height", `${viewport.height}px`);
      if (window.scrollY !== 0) window.scrollTo(0, 0);
    };
    measure();
    viewport.addEventListener("resize", measure);
    viewport.addEventListener("scroll", measure);
    return () => {
      viewport.removeEventListener("resize", measure);
      viewport.removeEventListener("scroll", measure);
    };
  }, []);
}
