import { describe, expect, test } from "vitest";
import {
  HOLD_AFTER_MILLIS,
  Outbox,
  type OutboxEntry,
  type OutboxStorage,
} from "../../src/connection/outbox";
import type { Refusal } from "../../src/connection/refusal";
import { FakeEnvironment, settle } from "../fake-environment";

class MemoryStorage implements OutboxStorage {
  readonly kept = new Map<string, OutboxEntry>();
  load = () => [...this.kept.values()];
  put = (entry: OutboxEntry) => void this.kept.set(entry.clientMessageId, entry);
  remove = (id: string) => void this.kept.delete(id);
}

class Refused extends Error {
  readonly isTransient: boolean;
  constructor(isTransient: boolean) {
    super("refused");
    this.isTransient = isTransient;
  }
}

/** The service's side: the first use of an id stores the message, every repeat finds it. */
class Service {
  readonly stored: string[] = [];
  readonly calls: string[] = [];
  answer: (entry: OutboxEntry) => Promise<void> = async () => {};

  take(entry: OutboxEntry): void {
    if (!this.stored.includes(entry.clientMessageId)) this.stored.push(entry.clientMessageId);
  }
}

function anOutbox(storage = new MemoryStorage(), environment = new FakeEnvironment()) {
  const service = new Service();
  const outbox = new Outbox(
    storage,
    {
      send: async (entry) => {
        service.calls.push(entry.clientMessageId);
        await service.answer(entry);
        service.take(entry);
      },
      refusalOf: (error) =>
        ({
          reason: 0,
          message: String(error),
          metadata: {},
          isTransient: !(error instanceof Refused) || error.isTransient,
          isSignedOut: false,
        }) satisfies Refusal,
      changed: () => {},
    },
    environment,
  );
  return { outbox, service, storage, environment };
}

describe("the outbox", () => {
  test("sends at once and forgets what arrived", async () => {
    const { outbox, service, storage } = anOutbox();
    outbox.add("c", "m1", "hola");
    expect(outbox.entries).toHaveLength(1);
    await settle();
    expect(service.stored).toEqual(["m1"]);
    expect(outbox.entries).toHaveLength(0);
    expect(storage.kept.size).toBe(0);
  });

  test("keeps the order of a conversation, whatever fails in between", async () => {
    const { outbox, service, environment } = anOutbox();
    let failures = 3;
    service.answer = async () => {
      if (failures-- > 0) throw new Refused(true);
    };
    outbox.add("c", "m1", "one");
    outbox.add("c", "m2", "two");
    outbox.add("c", "m3", "three");
    await environment.pass(60_000);
    expect(service.stored).toEqual(["m1", "m2", "m3"]);
  });

  test("one conversation does not wait for another", async () => {
    const { outbox, service } = anOutbox();
    service.answer = async (entry) => {
      if (entry.conversationId === "a") throw new Refused(true);
    };
    outbox.add("a", "m1", "stuck");
    outbox.add("b", "m2", "free");
    await settle();
    expect(service.stored).toEqual(["m2"]);
  });

  test("tries again with the same id, so an answer that was lost does not make two messages", async () => {
    const { outbox, service, environment } = anOutbox();
    let isFirst = true;
    service.answer = async (entry) => {
      service.take(entry);
      if (isFirst) {
        isFirst = false;
        throw new Refused(true);
      }
    };
    outbox.add("c", "m1", "hola");
    await environment.pass(1_000);
    expect(service.calls).toEqual(["m1", "m1"]);
    expect(service.stored).toEqual(["m1"]);
    expect(outbox.entries).toHaveLength(0);
  });

  test("tries at once when the line is back", async () => {
    const { outbox, service, environment } = anOutbox();
    environment.nextRandom = 1;
    service.answer = async () => {
      throw new Refused(true);
    };
    outbox.add("c", "m1", "hola");
    await environment.pass(60_000);
    service.answer = async () => {};
    outbox.tryNow();
    await settle();
    expect(service.stored).toEqual(["m1"]);
  });

  test("does not send twice at once when it is told to hurry", async () => {
    const { outbox, service } = anOutbox();
    let release = () => {};
    service.answer = () => new Promise((done) => (release = done));
    outbox.add("c", "m1", "hola");
    outbox.tryNow();
    outbox.tryNow();
    release();
    await settle();
    expect(service.calls).toEqual(["m1"]);
  });

  test("keeps what is refused for a person to decide, and goes on with the rest", async () => {
    const { outbox, service } = anOutbox();
    service.answer = async (entry) => {
      if (entry.clientMessageId === "m1") throw new Refused(false);
    };
    outbox.add("c", "m1", "refused");
    outbox.add("c", "m2", "fine");
    await settle();
    expect(outbox.entries).toMatchObject([
      { clientMessageId: "m1", state: "refused", text: "refused" },
    ]);
    expect(service.stored).toEqual(["m2"]);
    service.answer = async () => {};
    outbox.sendAgain("m1");
    await settle();
    expect(service.stored).toEqual(["m2", "m1"]);
    expect(outbox.entries).toHaveLength(0);
  });

  test("a message that was seen in the conversation has arrived", async () => {
    const { outbox, service, storage } = anOutbox();
    service.answer = async () => {
      throw new Refused(true);
    };
    outbox.add("c", "m1", "hola");
    await settle();
    outbox.confirm("m1");
    expect(outbox.entries).toHaveLength(0);
    expect(storage.kept.size).toBe(0);
  });

  test("a reload sends what was left over", async () => {
    const storage = new MemoryStorage();
    const environment = new FakeEnvironment();
    const before = anOutbox(storage, environment);
    before.service.answer = async () => {
      throw new Refused(true);
    };
    before.outbox.add("c", "m1", "one");
    await environment.pass(2);
    before.outbox.add("c", "m2", "two");
    await settle();
    before.outbox.stop();

    const after = anOutbox(storage, environment);
    after.outbox.tryNow();
    await settle();
    expect(after.service.stored).toEqual(["m1", "m2"]);
  });

  test("what was left over long ago is held, not sent behind the person's back", async () => {
    const storage = new MemoryStorage();
    const environment = new FakeEnvironment();
    const before = anOutbox(storage, environment);
    before.service.answer = async () => {
      throw new Refused(true);
    };
    before.outbox.add("c", "m1", "old");
    await settle();
    before.outbox.stop();
    await environment.pass(HOLD_AFTER_MILLIS + 1);

    const after = anOutbox(storage, environment);
    after.outbox.tryNow();
    await environment.pass(60_000);
    expect(after.service.calls).toEqual([]);
    expect(after.outbox.entries).toMatchObject([{ state: "held" }]);
    after.outbox.sendAgain("m1");
    await settle();
    expect(after.service.stored).toEqual(["m1"]);
  });

  test("what a person discarded is not sent", async () => {
    const { outbox, service, environment } = anOutbox();
    service.answer = async () => {
      throw new Refused(true);
    };
    outbox.add("c", "m1", "oops");
    await settle();
    outbox.discard("m1");
    service.answer = async () => {};
    await environment.pass(60_000);
    expect(service.stored).toEqual([]);
  });
});
