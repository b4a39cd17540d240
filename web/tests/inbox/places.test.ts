import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeliveryStatus } from "../../src/gen/inbox/messaging/v1/message_pb";
import { settle } from "../fake-environment";
import { anInbox } from "./an-inbox";

function aLongConversation(count = 300) {
  const inbox = anInbox();
  for (let n = 1; n <= count; n += 1) inbox.services.writes("c", `m${n}`);
  inbox.services.projectAll();
  return inbox;
}

function span(texts: readonly string[] | undefined): [string | undefined, string | undefined] {
  return [texts?.at(0), texts?.at(-1)];
}

describe("going to a message", () => {
  test("loads what is around it, and from there older and newer ones up to the newest", async () => {
    const { inbox, texts } = aLongConversation();

    await inbox.openConversation("c", 100n);

    expect(span(texts("c"))).toEqual(["m76", "m125"]);
    expect(await inbox.loadOlder("c")).toBe(50);
    expect(await inbox.loadNewer("c")).toBe(50);
    expect(span(texts("c"))).toEqual(["m26", "m175"]);
    while ((await inbox.loadNewer("c")) > 0);
    expect(texts("c")).toEqual(Array.from({ length: 275 }, (_, index) => `m${index + 26}`));
  });

  test("loads nothing when it is shown already", async () => {
    const { inbox, services, texts } = aLongConversation();
    await inbox.openConversation("c");
    const { calls } = services;

    await inbox.openConversation("c", 280n);

    expect(services.calls).toBe(calls);
    expect(span(texts("c"))).toEqual(["m251", "m300"]);
  });

  test("close to the newest goes on to them, and then follows the line", async () => {
    const { inbox, services, texts } = aLongConversation(60);
    await inbox.openConversation("c", 50n);
    services.writes("c", "m61");

    expect(texts("c")?.slice(-2)).toEqual(["m60", "m61"]);
  });

  test("that is further than the conversation shows its end", async () => {
    const { inbox, texts } = aLongConversation(60);
    await inbox.openConversation("c", 5_000n);
    expect(span(texts("c"))).toEqual(["m11", "m60"]);
  });

  test("what comes meanwhile is not shown before what lies between is loaded", async () => {
    const { inbox, services, texts } = aLongConversation();
    await inbox.openConversation("c", 100n);
    services.writes("c", "m301");
    await settle();
    expect(span(texts("c"))).toEqual(["m76", "m125"]);

    while ((await inbox.loadNewer("c")) > 0);
    expect(texts("c")).toEqual(Array.from({ length: 226 }, (_, index) => `m${index + 76}`));
  });

  test("and back to the newest shows them alone, with what came while they were under way", async () => {
    const { inbox, services, texts } = aLongConversation();
    await inbox.openConversation("c", 100n);
    const list = services.listMessages.bind(services);
    services.listMessages = async (...question) => {
      const answer = await list(...question);
      services.writes("c", "in between");
      return answer;
    };

    await inbox.openConversation("c");

    expect(texts("c")?.at(-1)).toBe("in between");
    expect(texts("c")).toHaveLength(51);
  });

  test("the one asked for last is shown, whichever answer comes last", async () => {
    const { inbox, services, texts } = aLongConversation();
    const list = services.listMessages.bind(services);
    const held: (() => void)[] = [];
    services.listMessages = async (...question) => {
      const answer = await list(...question);
      await new Promise<void>((done) => held.push(done));
      return answer;
    };
    const first = inbox.openConversation("c", 100n);
    const second = inbox.openConversation("c", 200n);
    await settle();
    held[1]?.();
    await second;
    held[0]?.();
    await first;

    expect(span(texts("c"))).toEqual(["m176", "m225"]);
  });

  test("could not be loaded: what was shown stays, and it can be tried again", async () => {
    const { inbox, services, texts } = aLongConversation();
    await inbox.openConversation("c");
    const list = services.listMessages.bind(services);
    services.listMessages = async () => {
      throw new Error("away");
    };
    await expect(inbox.openConversation("c", 100n)).rejects.toThrow("away");
    expect(span(texts("c"))).toEqual(["m251", "m300"]);

    services.listMessages = list;
    await inbox.openConversation("c", 100n);
    expect(span(texts("c"))).toEqual(["m76", "m125"]);
  });

  test("whoever comes back to the conversation sees its newest messages", async () => {
    const { inbox, texts } = aLongConversation();
    await inbox.openConversation("c", 100n);
    await inbox.openConversation(null);
    await inbox.openConversation("c");
    expect(span(texts("c"))).toEqual(["m251", "m300"]);
  });
});

describe("a resync", () => {
  test("shows the same stretch again, with what became of its messages", async () => {
    const { inbox, services, texts, cut, heal } = aLongConversation(120);
    services.answers("c", "m121");
    for (let n = 122; n <= 300; n += 1) services.writes("c", `m${n}`);
    services.projectAll();
    await inbox.openConversation("c", 100n);
    await inbox.loadOlder("c");
    cut();
    services.progresses("c", 120, DeliveryStatus.READ);
    services.writes("c", "m301");
    services.projectAll();
    heal();

    await inbox.resync();

    expect(span(texts("c"))).toEqual(["m26", "m125"]);
    const window = inbox.store.snapshot.state.threads.get("c");
    expect(window?.bySeq.get(121n)?.deliveryStatus).toBe(DeliveryStatus.READ);
    expect(await inbox.loadNewer("c")).toBe(50);
  });

  test("that begins before the message is loaded loads it too, and it shows as soon as its own answer is there", async () => {
    const { inbox, services, texts } = aLongConversation();
    const going = inbox.openConversation("c", 100n);
    const listConversations = services.listConversations.bind(services);
    let shownEarly: string[] | undefined;
    services.listConversations = async (...question) => {
      await settle();
      shownEarly = texts("c");
      return listConversations(...question);
    };
    const resync = inbox.resync();
    await Promise.all([going, resync]);

    expect(span(shownEarly)).toEqual(["m76", "m125"]);
    expect(span(texts("c"))).toEqual(["m76", "m125"]);
  });

  test("does not bring back what somebody went away from while it was loading", async () => {
    const { inbox, services, texts } = aLongConversation();
    await inbox.openConversation("c");
    const list = services.listMessages.bind(services);
    let hasGone = false;
    services.listMessages = async (...question) => {
      const answer = await list(...question);
      if (!hasGone) {
        hasGone = true;
        await inbox.openConversation("c", 100n);
      }
      return answer;
    };
    await inbox.resync();

    expect(span(texts("c"))).toEqual(["m76", "m125"]);
  });
});

type Step =
  | { does: "goes to"; seq: number }
  | { does: "writes" | "older" | "newer" | "newest" | "leaves" | "resync" | "cut and heal" };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant("goes to" as const), seq: fc.nat(130) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constantFrom(
        "writes" as const,
        "older" as const,
        "newer" as const,
        "newest" as const,
        "leaves" as const,
        "resync" as const,
        "cut and heal" as const,
      ),
    }),
  },
);

test("wherever somebody goes, in whatever order answers come, nothing in the middle is ever missing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aStep, { maxLength: 25 }),
      fc.infiniteStream(fc.nat(3)),
      async (steps, delays) => {
        const { inbox, services, texts, cut, heal } = aLongConversation(120);
        const list = services.listMessages.bind(services);
        services.listMessages = async (...question) => {
          const answer = await list(...question);
          const turns = delays.next().value ?? 0;
          for (let turn = 0; turn < turns * 4; turn += 1) await Promise.resolve();
          return answer;
        };
        const all = () => (services.messages.get("c") ?? []).map((message) => message.text);
        const outcomes: Promise<unknown>[] = [];
        let count = 120;
        for (const step of steps) {
          if (step.does === "goes to") {
            outcomes.push(inbox.openConversation("c", BigInt(step.seq + 1)));
          }
          if (step.does === "older") outcomes.push(inbox.loadOlder("c"));
          if (step.does === "newer") outcomes.push(inbox.loadNewer("c"));
          if (step.does === "newest") outcomes.push(inbox.openConversation("c"));
          if (step.does === "leaves") outcomes.push(inbox.openConversation(null));
          if (step.does === "resync") outcomes.push(inbox.resync());
          if (step.does === "cut and heal") cut();
          if (step.does === "writes" || step.does === "cut and heal") {
            count += 1;
            services.writes("c", `m${count}`);
            services.projectAll();
          }
          if (step.does === "cut and heal") {
            heal();
            outcomes.push(inbox.resync());
          }
          await Promise.resolve();
        }
        await Promise.all(outcomes);
        await settle();
        const shown = texts("c") ?? [];
        const from = all().indexOf(shown[0] ?? "");
        expect(shown).toEqual(all().slice(from, from + shown.length));

        await inbox.openConversation("c");
        await settle();
        const newest = texts("c") ?? [];
        expect(newest).toEqual(all().slice(-newest.length));
        expect(newest.length).toBeGreaterThanOrEqual(50);
      },
    ),
    { numRuns: 40 },
  );
}, 30_000);
