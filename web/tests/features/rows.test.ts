import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import type { OutboxEntry } from "../../src/connection/outbox";
import { daysOf, rowsOf } from "../../src/features/thread/rows";
import {
  AuthorKind,
  type Message,
  MessageDirection,
  MessageSchema,
} from "../../src/gen/inbox/messaging/v1/message_pb";

const TODAY = new Date("2026-11-23T12:00:00Z");

function message(seq: number, at: string, fields: Partial<Message> = {}): Message {
  return create(MessageSchema, {
    id: `m${seq}`,
    seq: BigInt(seq),
    direction: MessageDirection.INBOUND,
    author: { kind: AuthorKind.CUSTOMER },
    inboundOrdinal: BigInt(seq),
    createTime: timestampFromDate(new Date(at)),
    ...fields,
  } as never);
}

function entry(id: string, at: string): OutboxEntry {
  return {
    clientMessageId: id,
    conversationId: "c",
    text: "hola",
    createTimeMillis: Date.parse(at),
    state: "waiting",
    refusal: null,
  };
}

function rows(messages: Message[], entries: OutboxEntry[] = [], unreadAbove: bigint | null = null) {
  return rowsOf({ messages, entries, unreadAbove, today: TODAY, timeZone: "UTC" });
}

describe("the rows of a conversation", () => {
  test("have a separator before each day: the full date, Yesterday, Today", () => {
    const made = rows([
      message(1, "2026-04-28T09:00:00Z"),
      message(2, "2026-11-22T23:59:00Z"),
      message(3, "2026-11-23T00:01:00Z"),
    ]);
    expect(made.flatMap((row) => (row.kind === "day" ? [row.name] : []))).toEqual([
      "28 April 2026",
      "Yesterday",
      "Today",
    ]);
  });

  test("are the same bubble while a message is on its way and when it has arrived", () => {
    const waiting = rows([], [entry("mine", "2026-11-23T10:00:00Z")]);
    const arrived = rows(
      [
        message(1, "2026-11-23T10:00:01Z", {
          clientMessageId: "mine",
          direction: MessageDirection.OUTBOUND,
        }),
      ],
      [entry("mine", "2026-11-23T10:00:00Z")],
    );
    expect(waiting.map((row) => row.key)).toEqual(arrived.map((row) => row.key));
  });

  test("put what is still on its way last", () => {
    const made = rows(
      [message(1, "2026-11-23T10:00:30Z")],
      [entry("mine", "2026-11-23T10:00:00Z")],
    );
    expect(made.map((row) => row.key)).toEqual(["day 2026-11-23", "m1", "mine"]);
  });

  test("do not open yesterday again below today when a clock is behind", () => {
    const made = rows(
      [message(1, "2026-11-23T00:10:00Z")],
      [entry("mine", "2026-11-22T23:58:00Z")],
    );
    expect(made.filter((row) => row.kind === "day")).toHaveLength(1);
  });

  test("group what one author says in a row, for five minutes", () => {
    const made = rows([
      message(1, "2026-11-23T10:00:00Z"),
      message(2, "2026-11-23T10:01:00Z"),
      message(3, "2026-11-23T10:30:00Z"),
    ]);
    expect(
      made.flatMap((row) =>
        row.kind === "bubble" ? [[row.isFirstOfGroup, row.isLastOfGroup]] : [],
      ),
    ).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  test("have one line above the first unread message", () => {
    const made = rows(
      [
        message(1, "2026-11-23T10:00:00Z"),
        message(2, "2026-11-23T10:01:00Z"),
        message(3, "2026-11-23T10:02:00Z"),
      ],
      [],
      1n,
    );
    expect(made.map((row) => row.key)).toEqual(["day 2026-11-23", "m1", "unread", "m2", "m3"]);
  });

  test("keep the name of a day that began above the window", () => {
    const made = rows([1, 2, 3, 4].map((seq) => message(seq, `2026-11-23T10:0${seq}:00Z`)));
    const days = daysOf(made, 3, 5);
    expect(days).toHaveLength(1);
    expect(days[0]?.name).toBe("Today");
    expect(days[0]?.rows.map((row) => row.key)).toEqual(["m3", "m4"]);
  });

  test("tell what happened between the bubbles, and never as a bubble", () => {
    const made = rows([
      message(1, "2026-11-23T10:00:00Z"),
      message(2, "2026-11-23T10:00:10Z", {
        direction: MessageDirection.INTERNAL,
        author: { kind: AuthorKind.SYSTEM },
        systemNote: { kind: { case: "aiResumed", value: {} } },
      } as never),
      message(3, "2026-11-23T10:00:20Z", { inboundOrdinal: 2n }),
    ]);

    expect(made.map((row) => row.kind)).toEqual(["day", "bubble", "note", "bubble"]);
    const bubbles = made.filter((row) => row.kind === "bubble");
    expect(bubbles.map((row) => [row.isFirstOfGroup, row.isLastOfGroup])).toEqual([
      [true, true],
      [true, true],
    ]);
  });
});
