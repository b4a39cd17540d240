/** Which customers are typing right now; fades by itself when no further sign comes. */

import { useEffect, useMemo, useState } from "react";
import { useInbox } from "./session";

export function useTypingCustomers(): ReadonlySet<string> {
  const until = useInbox((snapshot) => snapshot.state.customerTypingUntil);
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
