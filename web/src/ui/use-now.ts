/** The present time for rendering. */

import { useEffect, useState } from "react";
import { dayKey, millisToMidnight } from "./time";

/** A day's worth of milliseconds does fit, but a laptop may sleep over midnight: look again now and then. */
const LONGEST_WAIT_MILLIS = 3_600_000;

/** Changes at midnight while the page is open, and when a sleeping page wakes up. */
export function useToday(timeZone?: string): Date {
  const [today, setToday] = useState(() => new Date());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const look = () => {
      const now = new Date();
      setToday((before) => (dayKey(before, timeZone) === dayKey(now, timeZone) ? before : now));
      clearTimeout(timer);
      timer = setTimeout(look, Math.min(LONGEST_WAIT_MILLIS, millisToMidnight(now, timeZone)));
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [timeZone]);
  return today;
}

/** The time in milliseconds, told anew each second. */
export function useSeconds(): number {
  const [millis, setMillis] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setMillis(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return millis;
}
