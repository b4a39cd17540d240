/** Something a screen asks a service for, once and whenever it must be asked again. */

import { useCallback, useEffect, useState } from "react";
import { useAction } from "./use-action";

export interface Loaded<T> {
  /** Null until it is in. */
  readonly value: T | null;
  readonly error: string | null;
  /** As an answer or a frame tells it. */
  set(value: T): void;
  again(): Promise<unknown>;
}

/** `load` must stay the same function for the same question. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [value, set] = useState<T | null>(null);
  const { run, error } = useAction();
  const again = useCallback(() => run(async () => set(await load())), [run, load]);
  useEffect(() => void again(), [again]);
  return { value, error, set, again };
}
