/** Times as people write them. One place for Intl, in the workspace's time zone. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";

const LOCALE = "en-US";
const DAY_MILLIS = 86_400_000;

export function toDate(timestamp: Timestamp): Date {
  return new Date(Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1e6));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions, locale = LOCALE): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(locale, options);
    formats.set(key, made);
  }
  return made;
}

/** A zone the browser does not know must not take the page down. */
export function safeZone(timeZone: string | undefined): string | undefined {
  if (!timeZone) return undefined;
  try {
    new Intl.DateTimeFormat(LOCALE, { timeZone });
    return timeZone;
  } catch {
    return undefined;
  }
}

/** "2026-04-28": the calendar day there, comparable. */
export function dayKey(date: Date, timeZone?: string): string {
  return format({ year: "numeric", month: "2-digit", day: "2-digit", timeZone }, "sv-SE").format(
    date,
  );
}

/** "3:42 PM" */
export function clockTime(date: Date, timeZone?: string): string {
  return format({ hour: "numeric", minute: "2-digit", hour12: true, timeZone }).format(date);
}

/** "3:42:07 PM" */
export function preciseTime(date: Date, timeZone?: string): string {
  return format({
    hour: "numeric",
    minute: "2-digit",
    second: "2-digit",
    hour12: true,
    timeZone,
  }).format(date);
}

/** "28 April 2026, 3:42 PM" */
export function fullTime(date: Date, timeZone?: string): string {
  return `${fullDate(date, timeZone)}, ${clockTime(date, timeZone)}`;
}

/** "28 April 2026" */
export function fullDate(date: Date, timeZone?: string): string {
  return format({ day: "numeric", month: "long", year: "numeric", timeZone }, "en-GB").format(date);
}

/** Whole days between two calendar days, whatever the clocks did in between. */
function daysBetween(earlier: string, later: string): number {
  return Math.round((Date.parse(`${later}T12:00Z`) - Date.parse(`${earlier}T12:00Z`)) / DAY_MILLIS);
}

/** Today, Yesterday, or the full date. */
export function dayName(date: Date, now: Date, timeZone?: string): string {
  switch (daysBetween(dayKey(date, timeZone), dayKey(now, timeZone))) {
    case 0:
      return "Today";
    case 1:
      return "Yesterday";
    default:
      return fullDate(date, timeZone);
  }
}

/** As short as a list wants it: "3:42 PM", "Yesterday", "Mon", "28 Apr", "28 Apr 2025". */
export function listTime(date: Date, now: Date, timeZone?: string): string {
  const days = daysBetween(dayKey(date, timeZone), dayKey(now, timeZone));
  if (days <= 0) return clockTime(date, timeZone);
  if (days === 1) return "Yesterday";
  if (days < 7) return format({ weekday: "short", timeZone }).format(date);
  const isThisYear = dayKey(date, timeZone).slice(0, 4) === dayKey(now, timeZone).slice(0, 4);
  const year = isThisYear ? undefined : ("numeric" as const);
  return format({ day: "numeric", month: "short", year, timeZone }, "en-GB").format(date);
}

/** How long until the calendar day changes there. */
export function millisToMidnight(now: Date, timeZone?: string): number {
  const today = dayKey(now, timeZone);
  let low = 0;
  let high = 26 * 3_600_000;
  while (high - low > 500) {
    const middle = (low + high) / 2;
    if (dayKey(new Date(now.getTime() + middle), timeZone) === today) low = middle;
    else high = middle;
  }
  return high;
}
