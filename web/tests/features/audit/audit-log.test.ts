import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AuditLog, type AuditPage, type AuditSource } from "../../../src/features/audit/audit-log";
import { AuditEntrySchema } from "../../../src/gen/inbox/audit/v1/audit_pb";

/** A service with entries at these seconds; its pages are this long, and the first page may be empty. */
class Service implements AuditSource {
  readonly domain: string;
  isAway = false;
  readonly #times: readonly number[];
  readonly #pageSize: number;

  constructor(domain: string, times: readonly number[], pageSize: number) {
    this.domain = domain;
    this.#times = [...times].sort((a, b) => b - a);
    this.#pageSize = pageSize;
  }

  async list(pageToken: string): Promise<AuditPage> {
    if (this.isAway) throw new Error("away");
    const start = Number(pageToken || 0);
    const end = start + this.#pageSize;
    const auditEntries = this.#times
      .slice(start, end)
      .map((seconds) => create(AuditEntrySchema, { createTime: { seconds: BigInt(seconds) } }));
    return { auditEntries, nextPageToken: end < this.#times.length ? String(end) : "" };
  }
}

async function secondsOf(log: AuditLog<string>, count: number): Promise<number[]> {
  const rows = await log.next(count);
  return rows.map(({ entry }) => Number(entry.createTime?.seconds));
}

test("whatever the pages are, the list is all entries, newest first", async () => {
  const times = fc.array(fc.nat(50), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(times, { maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      async (all, pageSize, count) => {
        const log = new AuditLog(all.map((one, at) => new Service(`s${at}`, one, pageSize)));
        const shown: number[] = [];
        do shown.push(...(await secondsOf(log, count)));
        while (log.hasMore);
        expect(shown).toEqual(all.flat().sort((a, b) => b - a));
      },
    ),
  );
});

test("a service that does not answer costs no row: asked again, the list goes on", async () => {
  const [steady, shaky] = [new Service("a", [9, 7, 5], 3), new Service("b", [8, 6], 1)];
  const log = new AuditLog([steady, shaky]);
  expect(await secondsOf(log, 1)).toEqual([9]);

  shaky.isAway = true;
  await expect(secondsOf(log, 4)).rejects.toThrow("away");
  shaky.isAway = false;

  expect(await secondsOf(log, 9)).toEqual([8, 7, 6, 5]);
  expect(log.hasMore).toBe(false);
});
