/** Who is typing right now, customers and the AI; fades by itself when no further sign comes. */

import { useEffect, useMemo, useState } from "react";
import { useInbox } from "./session";

export function useTypingCustomers(): ReadonlySet<string> {
  return useUnfaded(useInbox((snapshot) => snapshot.state.customerTypingUntil));
}

/** The conversations in which the AI writes an answer. */
export function useAiWriting(): ReadonlySet<string> {
  return useUnfaded(useInbox((snapshot) => snapshot.state.aiWritingUntil));
}

function useUnfaded(until: ReadonlyMap<string, number>): ReadonlySet<string> {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const present = Date.now();
    setNow(present);
    const ends = [...until.values()].filter((end) => end > present);
    if (ends.length === 0) return;
    const timer = setTimeout(() => setNow(Date.now()), Math.min(...ends) - present + 20);
    return () => clearTimeout(timer);
  }, [until]);
  return useMemo(
    () => new Set([...until].filter(([, end]) => end > now).map(([id]) => id)),
    [until, now],
  );
}
