/** Whether the window is wide enough for a third pane; follows it. */

import { useSyncExternalStore } from "react";

const WIDE = "(min-width: 1280px)";

export function useHasRoomBeside(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(WIDE);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => window.matchMedia(WIDE).matches,
  );
}
