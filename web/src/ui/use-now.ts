/** The present day for rendering: changes at midnight while the page is open, and when a sleeping page wakes up. */

import { useEffect, useState } from "react";
import { dayKey, millisToMidnight } from "./time";

/** A day's worth of milliseconds does fit, but a laptop may sleep over midnight: look again now and then. */
const LONGEST_WAIT_MILLIS = 3_600_000;

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
