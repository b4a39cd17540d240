import { describe, expect, test } from "vitest";
import {
  clockTime,
  dayKey,
  dayName,
  fullTime,
  listTime,
  millisToMidnight,
  safeZone,
} from "../../src/ui/time";

const at = (text: string) => new Date(text);

describe("times", () => {
  test("are on a 12-hour clock", () => {
    expect(clockTime(at("2026-11-23T15:04:00Z"), "UTC")).toBe("3:04 PM");
    expect(clockTime(at("2026-11-23T00:04:00Z"), "UTC")).toBe("12:04 AM");
    expect(fullTime(at("2026-04-28T12:00:00Z"), "UTC")).toBe("28 April 2026, 12:00 PM");
  });

  test("are those of the workspace's time zone", () => {
    const moment = at("2026-11-23T02:30:00Z");
    expect(clockTime(moment, "America/Sao_Paulo")).toBe("11:30 PM");
    expect(dayKey(moment, "America/Sao_Paulo")).toBe("2026-11-22");
    expect(dayKey(moment, "Asia/Tokyo")).toBe("2026-11-23");
  });

  test("survive a time zone the browser does not know", () => {
    expect(safeZone("Mars/Olympus")).toBeUndefined();
    expect(safeZone("Europe/Berlin")).toBe("Europe/Berlin");
  });
});

describe("days", () => {
  const now = at("2026-11-23T12:00:00Z");

  test("are Today, Yesterday, or the full date", () => {
    expect(dayName(at("2026-11-23T00:00:00Z"), now, "UTC")).toBe("Today");
    expect(dayName(at("2026-11-22T23:59:59Z"), now, "UTC")).toBe("Yesterday");
    expect(dayName(at("2026-11-21T23:59:59Z"), now, "UTC")).toBe("21 November 2026");
    expect(dayName(at("2026-04-28T08:00:00Z"), now, "UTC")).toBe("28 April 2026");
  });

  test("count calendar days, also across a change of the clocks", () => {
    // New York goes back on 1 November 2026: that day has 25 hours.
    const evening = at("2026-11-02T04:30:00Z");
    expect(dayName(evening, at("2026-11-02T18:00:00Z"), "America/New_York")).toBe("Yesterday");
    // Berlin goes forward on 29 March 2026: that day has 23 hours.
    expect(dayName(at("2026-03-28T22:30:00Z"), at("2026-03-29T21:30:00Z"), "Europe/Berlin")).toBe(
      "Yesterday",
    );
  });

  test("end at midnight there", () => {
    const left = millisToMidnight(at("2026-11-23T22:00:00Z"), "UTC");
    expect(Math.abs(left - 2 * 3_600_000)).toBeLessThan(1_000);
    // 25 hours on the day the clocks go back.
    const long = millisToMidnight(at("2026-11-01T04:00:00Z"), "America/New_York");
    expect(Math.abs(long - 25 * 3_600_000)).toBeLessThan(1_000);
  });

  test("are short in the list", () => {
    expect(listTime(at("2026-11-23T09:05:00Z"), now, "UTC")).toBe("9:05 AM");
    expect(listTime(at("2026-11-22T09:05:00Z"), now, "UTC")).toBe("Yesterday");
    expect(listTime(at("2026-11-18T09:05:00Z"), now, "UTC")).toBe("Wed");
    expect(listTime(at("2026-04-28T09:05:00Z"), now, "UTC")).toBe("28 Apr");
    expect(listTime(at("2025-04-28T09:05:00Z"), now, "UTC")).toBe("28 Apr 2025");
  });
});
