/** Several services' entries as one list, newest first. Each service has its own pages; they are merged by time. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { AuditEntry } from "../../gen/inbox/audit/v1/audit_pb";

export interface AuditPage {
  readonly auditEntries: readonly AuditEntry[];
  readonly nextPageToken: string;
}

export interface AuditSource<D extends string = string> {
  readonly domain: D;
  list(pageToken: string): Promise<AuditPage>;
}

export interface AuditRow<D extends string = string> {
  /** The service that keeps the entry. */
  readonly domain: D;
  readonly entry: AuditEntry;
}

/** The pages of one service, as far as they were asked for. */
class Reader<D extends string> {
  readonly waiting: AuditEntry[] = [];
  /** Null before the first page, empty after the last. */
  #pageToken: string | null = null;
  readonly #source: AuditSource<D>;

  constructor(source: AuditSource<D>) {
    this.#source = source;
  }

  get domain(): D {
    return this.#source.domain;
  }

  get isAtEnd(): boolean {
    return this.waiting.length === 0 && this.#pageToken === "";
  }

  /** What comes next has to be known before it can be compared. */
  async fill(): Promise<void> {
    while (this.waiting.length === 0 && this.#pageToken !== "") {
      const page = await this.#source.list(this.#pageToken ?? "");
      this.#pageToken = page.nextPageToken;
      this.waiting.push(...page.auditEntries);
    }
  }
}

export class AuditLog<D extends string> {
  readonly #readers: readonly Reader<D>[];
  /** Taken and not handed out yet: a service that fails halfway costs no row. */
  #taken: AuditRow<D>[] = [];

  constructor(sources: readonly AuditSource<D>[]) {
    this.#readers = sources.map((source) => new Reader(source));
  }

  get hasMore(): boolean {
    return this.#readers.some((reader) => !reader.isAtEnd);
  }

  /** The next rows, at most `count`. Rejects when a service does not answer; asking again goes on from there. */
  async next(count: number): Promise<readonly AuditRow<D>[]> {
    while (this.#taken.length < count) {
      await Promise.all(this.#readers.map((reader) => reader.fill()));
      const newest = this.#readers.filter((reader) => reader.waiting.length > 0).sort(byNewest)[0];
      const entry = newest?.waiting.shift();
      if (newest === undefined || entry === undefined) break;
      this.#taken.push({ domain: newest.domain, entry });
    }
    const rows = this.#taken;
    this.#taken = [];
    return rows;
  }
}

function byNewest(a: Reader<string>, b: Reader<string>): number {
  return later(b.waiting[0]?.createTime, a.waiting[0]?.createTime);
}

function later(a: Timestamp | undefined, b: Timestamp | undefined): number {
  const seconds = (a?.seconds ?? 0n) - (b?.seconds ?? 0n);
  return seconds === 0n ? (a?.nanos ?? 0) - (b?.nanos ?? 0) : Number(seconds);
}
