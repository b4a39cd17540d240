/** The time after which the AI takes a conversation over again, in minutes as people write it. */

import type { Duration } from "@bufbuild/protobuf/wkt";

const SECONDS = 60;

/** "15", "0.5"; "0" is never. */
export function minutesOf(duration: Duration | undefined): string {
  const minutes = Number(duration?.seconds ?? 0n) / SECONDS;
  return String(Math.round(minutes * 100) / 100);
}

/** In whole seconds, as the service wants it; null for what is no number. */
export function resumeAfter(minutes: string): { seconds: bigint } | null {
  if (!/^\d{1,6}([.,]\d{1,2})?$/u.test(minutes.trim())) return null;
  const seconds = Math.round(Number(minutes.trim().replace(",", ".")) * SECONDS);
  return { seconds: BigInt(seconds) };
}
