import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { type Draft, DraftSchema } from "../../src/gen/inbox/conversation/v1/draft_pb";
import { Drafts, SAVED_AFTER_MILLIS } from "../../src/inbox/drafts";
import { FakeEnvironment, settle } from "../fake-environment";
import { refused } from "./model-refusals";

/** The service, which one member's devices share. */
class ModelDrafts {
  draft: Draft | null = null;
  saves: string[] = [];
  isAway = false;

  #check(version: bigint) {
    if (this.isAway) throw new ConnectError("away", Code.Unavailable);
    if (version !== (this.draft?.version ?? 0n)) {
      throw refused("changed since", Code.Aborted, "VERSION_CONFLICT");
    }
  }
  get = async () => this.draft;
  save = async (_: string, text: string, version: bigint) => {
    this.#check(version);
    this.saves.push(text);
    this.draft = create(DraftSchema, { text, version: version + 1n });
    return this.draft;
  };
  delete = async (_: string, version: bigint) => {
    this.#check(version);
    this.draft = create(DraftSchema, { version: version + 1n });
    return this.draft;
  };
}

function aDevice(
  service: ModelDrafts,
  environment: FakeEnvironment,
  stored = new Map<string, string>(),
  tabs = new Set<(id: string) => void>(),
) {
  let ours: ((id: string) => void) | null = null;
  return new Drafts(
    service,
    {
      read: (id) => stored.get(id) ?? null,
      write: (id, value) => {
        if (value === null) stored.delete(id);
        else stored.set(id, value);
        for (const tell of tabs) if (tell !== ours) tell(id);
      },
      listen: (changed) => {
        ours = changed;
        tabs.add(changed);
      },
    },
    { wait: (millis) => new Promise((done) => void environment.after(millis, done)) },
  );
}

function twoDevices() {
  const service = new ModelDrafts();
  const environment = new FakeEnvironment();
  const rest = () => environment.pass(SAVED_AFTER_MILLIS);
  return {
    service,
    environment,
    rest,
    desk: aDevice(service, environment),
    phone: aDevice(service, environment),
  };
}

describe("a draft", () => {
  test("is saved once the fingers rest, not with every letter", async () => {
    const { service, desk, environment, rest } = twoDevices();
    for (const text of ["H", "Ho", "Hola"]) {
      desk.change("c", text);
      await environment.pass(SAVED_AFTER_MILLIS - 1);
    }
    expect(service.saves).toEqual([]);
    await rest();
    expect(service.saves).toEqual(["Hola"]);
  });

  test("is there on another device, and gone there once it was sent", async () => {
    const { desk, phone, rest } = twoDevices();
    desk.change("c", "Hola");
    await rest();
    await phone.open("c");
    expect(phone.textOf("c")).toBe("Hola");

    phone.change("c", "");
    await rest();
    await desk.open("c");
    expect(desk.textOf("c")).toBe("");
  });

  test("that is being written is not replaced by what was saved elsewhere", async () => {
    const { service, desk, phone, rest } = twoDevices();
    desk.change("c", "from the desk");
    await rest();
    phone.change("c", "from the phone");
    await phone.open("c");
    expect(phone.textOf("c")).toBe("from the phone");
    await rest();
    expect(service.draft?.text).toBe("from the phone");
  });

  test("that was sent here does not delete what goes on elsewhere", async () => {
    const { service, desk, phone, rest } = twoDevices();
    desk.change("c", "Hola");
    await rest();
    await phone.open("c");
    phone.change("c", "Hola, Ana");
    await rest();

    desk.change("c", "");
    await rest();

    expect(service.draft?.text).toBe("Hola, Ana");
    expect(desk.textOf("c")).toBe("");
  });

  test("that could not be saved is kept here and saved later", async () => {
    const { service, desk, environment, rest } = twoDevices();
    service.isAway = true;
    desk.change("c", "Hola");
    await rest();
    expect(desk.textOf("c")).toBe("Hola");
    service.isAway = false;
    await environment.pass(10_000);
    expect(service.draft?.text).toBe("Hola");
  });

  test("changed while it is being saved is saved again as it is then", async () => {
    const { service, desk, rest } = twoDevices();
    const save = service.save;
    service.save = async (...asked) => {
      service.save = save;
      const saved = await save(...asked);
      desk.change("c", "Hola Ana");
      return saved;
    };
    desk.change("c", "Hola");
    await rest();
    await settle();
    expect(service.saves).toEqual(["Hola", "Hola Ana"]);
  });

  test("survives a reload, also one that an earlier client kept", async () => {
    const { service, environment, rest } = twoDevices();
    const stored = new Map<string, string>();
    const closed = new FakeEnvironment();
    aDevice(service, closed, stored).change("c", "Hola");
    expect(aDevice(service, environment, stored).textOf("c")).toBe("Hola");

    const old = aDevice(service, environment, new Map([["c", "plain words"]]));
    expect(old.textOf("c")).toBe("plain words");
    await old.open("c");
    await rest();
    expect(service.draft?.text).toBe("plain words");
  });

  test("of nothing but spaces is none", async () => {
    const { service, desk, rest } = twoDevices();
    desk.change("c", "  ");
    await rest();
    expect(service.draft).toBeNull();
  });
});

describe("two tabs of one browser", () => {
  function twoTabs() {
    const service = new ModelDrafts();
    const environment = new FakeEnvironment();
    const [stored, tabs] = [new Map<string, string>(), new Set<(id: string) => void>()];
    const aTab = () => aDevice(service, environment, stored, tabs);
    return {
      service,
      left: aTab(),
      right: aTab(),
      rest: () => environment.pass(SAVED_AFTER_MILLIS),
    };
  }

  test("show what is written in either at once, and one of them saves it", async () => {
    const { service, left, right, rest } = twoTabs();
    const heard: string[] = [];
    right.subscribe(() => heard.push(right.textOf("c")));

    left.change("c", "hola");
    expect(heard).toEqual(["hola"]);
    await rest();
    left.change("c", "");
    await rest();

    expect(right.textOf("c")).toBe("");
    expect(service.saves).toEqual(["hola"]);
    expect(service.draft?.text).toBe("");
  });

  test("go on from one another without a conflict", async () => {
    const { service, left, right, rest } = twoTabs();
    left.change("c", "hola");
    await rest();

    right.change("c", "hola, Ana");
    await rest();

    expect(service.draft).toMatchObject({ text: "hola, Ana", version: 2n });
    expect(left.textOf("c")).toBe("hola, Ana");
  });
});
