/** Whether a service's chain of entries is as it was written, looked at part by part. */

import {
  type AuditAnchor,
  AuditBreakKind,
  type VerifyAuditChainResponse,
} from "../../gen/inbox/audit/v1/audit_pb";

/** So many parts at once, a thousand entries each; then a person says whether to go on. */
export const PARTS_AT_ONCE = 20;

export type ChainState =
  | { kind: "checking"; count: bigint }
  /** `anchor` proves later that nothing up to here was rewritten. */
  | { kind: "verified"; count: bigint; position: bigint; anchor: AuditAnchor | null }
  /** Good so far; there is more. */
  | { kind: "paused"; count: bigint; position: bigint; pageToken: string }
  | { kind: "broken"; count: bigint; position: bigint; breakKind: AuditBreakKind }
  | { kind: "unknown"; count: bigint; text: string };

type Verify = (
  pageToken: string,
) => Promise<
  Pick<VerifyAuditChainResponse, "verifiedCount" | "broken" | "anchor" | "nextPageToken">
>;

/** From the start, or from where it was paused; `onState` hears of every part. Stops when nobody listens any more. */
export async function verifyChain(
  verify: Verify,
  onState: (state: ChainState) => boolean,
  sayError: (error: unknown) => string,
  from: { count: bigint; pageToken: string } = { count: 0n, pageToken: "" },
): Promise<void> {
  let { count, pageToken } = from;
  let position = count;
  let anchor: AuditAnchor | null = null;
  for (let part = 0; part < PARTS_AT_ONCE; part += 1) {
    if (!onState({ kind: "checking", count })) return;
    try {
      const answer = await verify(pageToken);
      count += answer.verifiedCount;
      anchor = answer.anchor ?? null;
      position = anchor?.position ?? position;
      pageToken = answer.nextPageToken;
      if (answer.broken !== undefined) {
        const { position: at, kind: breakKind } = answer.broken;
        onState({ kind: "broken", count, position: at, breakKind });
        return;
      }
    } catch (error) {
      onState({ kind: "unknown", count, text: sayError(error) });
      return;
    }
    if (pageToken === "") {
      onState({ kind: "verified", count, position, anchor });
      return;
    }
  }
  onState({ kind: "paused", count, position, pageToken });
}

export const BREAK_WORDS: Record<AuditBreakKind, string> = {
  [AuditBreakKind.UNSPECIFIED]: "it is not as it was written",
  [AuditBreakKind.CONTENTS_CHANGED]: "its before or after was changed",
  [AuditBreakKind.ENTRY_CHANGED]: "who, what or when was changed",
  [AuditBreakKind.ENTRY_MISSING]: "it is missing",
  [AuditBreakKind.HASH_CHANGED]: "its hash does not follow from the one before",
  [AuditBreakKind.ENTRY_ADDED]: "it stands beyond the end of the chain",
  [AuditBreakKind.ANCHOR_MISSED]: "it is not the entry this browser saw there before",
};

/** The state of them all in one word: the worst there is. */
export function summaryOf(
  chains: readonly (ChainState | undefined)[],
): "broken" | "unknown" | "checking" | "verified" {
  const kinds = chains.map((chain) => chain?.kind ?? "checking");
  if (kinds.includes("broken")) return "broken";
  if (kinds.includes("unknown")) return "unknown";
  return kinds.every((kind) => kind === "verified") ? "verified" : "checking";
}

/** It may break nothing but what this browser remembers. */
export function isAgainstMemory(kind: AuditBreakKind): boolean {
  return kind === AuditBreakKind.ANCHOR_MISSED || kind === AuditBreakKind.ENTRY_MISSING;
}

export type EntryStanding = "verified" | "broken" | "not-looked-at" | "waiting";

/** How an entry stands in its chain; it gets its place within a second. */
export function standingOf(position: bigint, chain: ChainState | undefined): EntryStanding {
  if (position === 0n) return "waiting";
  switch (chain?.kind) {
    case "verified":
    case "paused":
      return position <= chain.position ? "verified" : "not-looked-at";
    case "broken":
      if (position === chain.position) return "broken";
      return position < chain.position ? "verified" : "not-looked-at";
    default:
      return "not-looked-at";
  }
}
