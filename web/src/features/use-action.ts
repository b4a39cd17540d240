/** A call behind a button: busy while it runs, one sentence if it fails. */

import { useCallback, useState } from "react";
import { type FieldError, fieldErrorOf, sayError } from "./say-error";

export interface Action {
  readonly isBusy: boolean;
  readonly error: string | null;
  /** The same, when it is about one field. */
  readonly fieldError: FieldError | null;
  /** True if it worked. */
  run(act: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

type Failure = Pick<Action, "error" | "fieldError">;

const NONE: Failure = { error: null, fieldError: null };

export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>(NONE);
  const run = useCallback(async (act: () => Promise<unknown>) => {
    setIsBusy(true);
    setFailure(NONE);
    try {
      await act();
      return true;
    } catch (error) {
      setFailure({ error: sayError(error), fieldError: fieldErrorOf(error) });
      return false;
    } finally {
      setIsBusy(false);
    }
  }, []);
  const clear = useCallback(() => setFailure(NONE), []);
  return { isBusy, ...failure, run, clear };
}
