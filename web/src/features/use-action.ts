/** A call behind a button: busy while it runs, one sentence if it fails. */

import { useCallback, useState } from "react";
import { sayError } from "./say-error";

export interface Action {
  readonly isBusy: boolean;
  readonly error: string | null;
  /** True if it worked. */
  run(act: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = useCallback(async (act: () => Promise<unknown>) => {
    setIsBusy(true);
    setError(null);
    try {
      await act();
      return true;
    } catch (failure) {
      setError(sayError(failure));
      return false;
    } finally {
      setIsBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(null), []);
  return { isBusy, error, run, clear };
}
