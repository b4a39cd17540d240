/** What stands in the field of a conversation: kept at once, saved a moment later, taken over from other devices. */

import { useCallback, useEffect, useSyncExternalStore } from "react";
import { useSession } from "../session";

export function useDraft(id: string): [text: string, change: (text: string) => void] {
  const { drafts, canWrite } = useSession();
  useEffect(() => {
    // Whoever may not write has none.
    if (canWrite) void drafts.open(id);
  }, [drafts, id, canWrite]);
  const text = useSyncExternalStore(
    (listener) => drafts.subscribe(listener),
    () => drafts.textOf(id),
  );
  const change = useCallback((next: string) => drafts.change(id, next), [drafts, id]);
  return [text, change];
}
