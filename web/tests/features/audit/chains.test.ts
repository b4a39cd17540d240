import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type ChainState,
  PARTS_AT_ONCE,
  standingOf,
  summaryOf,
  verifyChain,
} from "../../../src/features/audit/chains";
import {
  AuditAnchorSchema,
  AuditBreakKind,
  VerifyAuditChainResponseSchema,
} from "../../../src/gen/inbox/audit/v1/audit_pb";

const PART = 1_000n;

function anchorAt(position: bigint) {
  return create(AuditAnchorSchema, { position });
}

/** A chain of so many parts, broken at an entry or not. */
function aChain(parts: number, brokenAt?: bigint) {
  return async (pageToken: string) => {
    const part = BigInt(pageToken || 0);
    const isBroken = brokenAt !== undefined && brokenAt <= (part + 1n) * PART;
    return create(VerifyAuditChainResponseSchema, {
      verifiedCount: isBroken ? brokenAt - part * PART - 1n : PART,
      broken: isBroken ? { position: brokenAt, kind: AuditBreakKind.ENTRY_MISSING } : undefined,
      anchor: { position: (part + 1n) * PART },
      nextPageToken: !isBroken && Number(part) + 1 < parts ? String(part + 1n) : "",
    });
  };
}

async function lookAt(
  verify: ReturnType<typeof aChain>,
  from?: { count: bigint; pageToken: string },
) {
  const states: ChainState[] = [];
  const hear = (state: ChainState) => states.push(state) > 0;
  await verifyChain(verify, hear, () => "away", from);
  return states;
}

test("a chain is verified part by part, and tells how far it is", async () => {
  expect(await lookAt(aChain(2))).toEqual([
    { kind: "checking", count: 0n },
    { kind: "checking", count: 1_000n },
    { kind: "verified", count: 2_000n, position: 2_000n, anchor: anchorAt(2_000n) },
  ]);
});

test("a break is told with its place", async () => {
  expect((await lookAt(aChain(3, 1_017n))).at(-1)).toEqual({
    kind: "broken",
    count: 1_016n,
    position: 1_017n,
    breakKind: AuditBreakKind.ENTRY_MISSING,
  });
});

test("a long chain pauses, and goes on from there", async () => {
  const chain = aChain(PARTS_AT_ONCE + 1);
  const paused = (await lookAt(chain)).at(-1);
  if (paused?.kind !== "paused") throw new Error("it did not pause");

  const end = (await lookAt(chain, paused)).at(-1);

  const anchor = anchorAt(21_000n);
  expect(end).toEqual({ kind: "verified", count: 21_000n, position: 21_000n, anchor });
});

test("a service that is away leaves the chain unknown, never verified", async () => {
  const away = () => Promise.reject(new Error("no"));
  expect((await lookAt(away)).at(-1)).toEqual({ kind: "unknown", count: 0n, text: "away" });
});

test("nobody listens any more, so nobody asks any more", async () => {
  let asked = 0;
  const chain = aChain(5);
  const counting = (pageToken: string) => {
    asked += 1;
    return chain(pageToken);
  };
  await verifyChain(
    counting,
    ({ count }) => count < 2_000n,
    () => "",
  );
  expect(asked).toBe(2);
});

test("an entry is verified only as far as its chain is", () => {
  const verified: ChainState = { kind: "verified", count: 5n, position: 5n, anchor: null };
  expect(standingOf(0n, verified)).toBe("waiting");
  expect(standingOf(5n, verified)).toBe("verified");
  expect(standingOf(6n, verified)).toBe("not-looked-at");
  expect(standingOf(5n, undefined)).toBe("not-looked-at");
  const broken: ChainState = {
    kind: "broken",
    count: 3n,
    position: 4n,
    breakKind: AuditBreakKind.HASH_CHANGED,
  };
  expect([3n, 4n, 5n].map((position) => standingOf(position, broken))).toEqual([
    "verified",
    "broken",
    "not-looked-at",
  ]);
});

test("all chains are as good as the worst of them", () => {
  const good: ChainState = { kind: "verified", count: 1n, position: 1n, anchor: null };
  const paused: ChainState = { kind: "paused", count: 1n, position: 1n, pageToken: "x" };
  const away: ChainState = { kind: "unknown", count: 0n, text: "away" };
  const breakKind = AuditBreakKind.ENTRY_MISSING;
  const broken: ChainState = { kind: "broken", count: 0n, position: 1n, breakKind };
  expect(summaryOf([good, good])).toBe("verified");
  expect(summaryOf([good, undefined])).toBe("checking");
  expect(summaryOf([good, paused])).toBe("checking");
  expect(summaryOf([paused, away])).toBe("unknown");
  expect(summaryOf([away, broken, good])).toBe("broken");
});
