import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { ConversationMode } from "../../src/gen/inbox/messaging/v1/thread_pb";
import { ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";
import { listQuery } from "../../src/inbox/list-query";
import { settle } from "../fake-environment";
import { anInbox } from "./an-inbox";
import type { ModelServices } from "./model";
import { refused } from "./model-refusals";

function customers(services: ModelServices, count: number): void {
  for (let n = 1; n <= count; n += 1) services.writes(`c${n}`, `hello from ${n}`);
  services.projectAll();
}

test("an open conversation that was erased while the line was down keeps nothing from loading", async () => {
  const { inbox, services, list, failures } = anInbox();
  customers(services, 2);
  await inbox.resync();
  await inbox.openConversation("c1");
  services.conversations.delete("c1");
  services.getConversation = async () => {
    throw refused("it is not there", Code.NotFound, "CONVERSATION_NOT_FOUND");
  };

  await inbox.resync();

  expect(failures).toEqual([]);
  expect(list()).toEqual(["c2"]);
  expect(inbox.store.snapshot.state.erasedConversations.has("c1")).toBe(true);
});

describe("the list", () => {
  test("shows newest activity first, page by page, without holes", async () => {
    const { inbox, services, list } = anInbox();
    customers(services, 7);
    await inbox.resync();
    expect(list()).toEqual(["c7", "c6", "c5"]);
    await inbox.loadMore(listQuery(Folder.OPEN));
    expect(list()).toEqual(["c7", "c6", "c5", "c4", "c3", "c2"]);
    await inbox.loadMore(listQuery(Folder.OPEN));
    await inbox.loadMore(listQuery(Folder.OPEN));
    expect(list()).toHaveLength(7);
  });

  test("does not show an old conversation that was opened directly among newer ones it has not loaded", async () => {
    const { inbox, services, list, view } = anInbox();
    customers(services, 7);
    await inbox.resync();
    await inbox.openConversation("c1");
    expect(view("c1")?.contactName).toBe("c1");
    expect(list()).toEqual(["c7", "c6", "c5"]);
  });

  test("a conversation moves to the top with its message, even if it was not loaded", async () => {
    const { inbox, services, list, waits } = anInbox();
    customers(services, 7);
    await inbox.resync();
    services.writes("c1", "me again");
    expect(list()).toEqual(["c7", "c6", "c5"]);
    for (const wait of waits.splice(0)) wait();
    await settle();
    expect(list()).toEqual(["c1", "c7", "c6", "c5"]);
  });

  test("a new customer appears by itself", async () => {
    const { inbox, services, list } = anInbox();
    await inbox.resync();
    expect(list()).toEqual([]);
    services.writes("new", "first words");
    services.projectAll();
    expect(list()).toEqual(["new"]);
  });

  test("solving moves at once and is taken back when it is refused", async () => {
    const { inbox, services, list } = anInbox();
    customers(services, 2);
    await inbox.resync();
    const solving = inbox.move("c1", Folder.SOLVED);
    expect(list()).toEqual(["c2"]);
    await solving;
    expect(list()).toEqual(["c2"]);

    services.move = async () => {
      throw new Error("refused");
    };
    const refused = inbox.move("c2", Folder.SOLVED);
    expect(list()).toEqual([]);
    await expect(refused).rejects.toThrow("refused");
    expect(list()).toEqual(["c2"]);
  });

  test("a customer's next message brings a solved conversation back", async () => {
    const { inbox, services, list } = anInbox();
    customers(services, 1);
    await inbox.resync();
    await inbox.move("c1", Folder.SOLVED);
    services.writes("c1", "one more thing");
    services.projectAll();
    expect(list()).toEqual(["c1"]);
  });
});

describe("a conversation", () => {
  test("shows the newest page first and older ones before it, each once", async () => {
    const { inbox, services, texts } = anInbox();
    for (let n = 1; n <= 120; n += 1) services.writes("c", `m${n}`);
    services.projectAll();
    await inbox.openConversation("c");
    expect(texts("c")).toHaveLength(50);
    expect(texts("c")?.at(-1)).toBe("m120");
    expect(await inbox.loadOlder("c")).toBe(50);
    expect(await inbox.loadOlder("c")).toBe(20);
    expect(await inbox.loadOlder("c")).toBe(0);
    expect(texts("c")).toEqual(Array.from({ length: 120 }, (_, index) => `m${index + 1}`));
  });

  test("loses nothing that comes while its first page is under way", async () => {
    const { inbox, services, texts } = anInbox();
    services.writes("c", "m1");
    services.projectAll();
    const list = services.listMessages.bind(services);
    services.listMessages = async (...question) => {
      const answer = await list(...question);
      services.writes("c", "m2");
      return answer;
    };
    await inbox.openConversation("c");
    expect(texts("c")).toEqual(["m1", "m2"]);
  });

  test("fills a hole behind an answer that overtook its frames", async () => {
    const { inbox, services, texts, cut, heal } = anInbox();
    services.writes("c", "m1");
    services.projectAll();
    await inbox.openConversation("c");
    cut();
    services.writes("c", "m2");
    const own = services.answers("c", "m3", "mine");
    heal();
    inbox.accept(own);
    expect(texts("c")).toEqual(["m1", "m3"]);
    await settle();
    expect(texts("c")).toEqual(["m1", "m2", "m3"]);
  });

  test("tells the outbox which of our own messages were seen", async () => {
    const { inbox, services, seen } = anInbox();
    services.writes("c", "m1");
    services.projectAll();
    await inbox.resync();
    services.answers("c", "m2", "mine");
    expect(seen).toEqual(["mine"]);
  });

  test("mode is switched at once and follows whoever switched last", async () => {
    const { inbox, services, view } = anInbox();
    customers(services, 1);
    await inbox.resync();
    const switching = inbox.setMode("c1", ConversationMode.AI);
    expect(view("c1")?.mode).toBe(ConversationMode.AI);
    await switching;
    await services.setMode("c1", ConversationMode.MANUAL);
    expect(view("c1")?.mode).toBe(ConversationMode.MANUAL);
  });
});

describe("unread", () => {
  test("is what came in and was not seen; a mark only raises", async () => {
    const { inbox, services, view } = anInbox();
    for (let n = 1; n <= 3; n += 1) services.writes("c", `m${n}`);
    services.projectAll();
    await inbox.resync();
    expect(view("c")?.unreadCount).toBe(3);
    const marking = inbox.markRead("c", 2n);
    expect(view("c")?.unreadCount).toBe(1);
    await marking;
    await inbox.markRead("c", 1n);
    expect(view("c")?.unreadCount).toBe(1);
    services.writes("c", "m4");
    expect(view("c")?.unreadCount).toBe(2);
  });

  test("a mark that could not be stored is taken back, and can be made again", async () => {
    const { inbox, services, view } = anInbox();
    customers(services, 1);
    await inbox.resync();
    const markRead = services.markRead.bind(services);
    services.markRead = async () => {
      throw new Error("away");
    };
    await expect(inbox.markRead("c1", 1n)).rejects.toThrow("away");
    expect(view("c1")?.unreadCount).toBe(1);
    services.markRead = markRead;
    await inbox.markRead("c1", 1n);
    expect(view("c1")?.unreadCount).toBe(0);
  });
});

describe("a resync", () => {
  test("brings what was missed, in the list and in the open conversation, without showing less meanwhile", async () => {
    const { inbox, services, list, texts, view, cut, heal } = anInbox();
    customers(services, 2);
    await inbox.resync();
    await inbox.openConversation("c1");
    cut();
    services.writes("c1", "missed");
    services.writes("c3", "somebody new");
    services.projectAll();
    await services.move("c2", Folder.SOLVED);
    heal();

    const shown: number[] = [];
    for (const question of ["listMessages", "listConversations", "getConversation"] as const) {
      const ask = services[question].bind(services) as (...asked: unknown[]) => Promise<never>;
      services[question] = async (...asked: unknown[]) => {
        shown.push(texts("c1")?.length ?? 0);
        return ask(...asked);
      };
    }
    const resync = inbox.resync();
    expect(list()).toEqual(["c2", "c1"]);
    await resync;
    expect(shown.length).toBeGreaterThan(2);

    expect(list()).toEqual(["c3", "c1"]);
    expect(texts("c1")).toEqual(["hello from 1", "missed"]);
    expect(view("c1")?.unreadCount).toBe(2);
    expect(Math.min(...shown)).toBe(1);
  });

  test("loses no frame that comes while it is loading", async () => {
    const { inbox, services, texts, list } = anInbox();
    customers(services, 1);
    await inbox.openConversation("c1");
    const listConversations = services.listConversations.bind(services);
    services.listConversations = async (...question) => {
      const answer = await listConversations(...question);
      services.writes("c1", "in between");
      services.writes("c2", "new in between");
      services.projectAll();
      return answer;
    };
    await inbox.resync();
    expect(texts("c1")).toEqual(["hello from 1", "in between"]);
    expect(list()).toEqual(["c2", "c1"]);
  });

  test("tries again until it is in, and shows the old state until then", async () => {
    const { inbox, services, list, waits, failures } = anInbox();
    customers(services, 1);
    await inbox.resync();
    const listConversations = services.listConversations.bind(services);
    services.listConversations = async () => {
      throw new Error("away");
    };
    const resync = inbox.resync();
    await settle();
    expect(failures).toHaveLength(1);
    expect(list()).toEqual(["c1"]);
    expect(inbox.store.snapshot.isCatchingUp).toBe(true);
    services.listConversations = listConversations;
    for (const wait of waits.splice(0)) wait();
    await resync;
    expect(inbox.store.snapshot.isCatchingUp).toBe(false);
  });

  test("shows what was told before the line's position, though the list is behind", async () => {
    const { inbox, services, view, cut, heal } = anInbox();
    customers(services, 1);
    cut();
    services.writes("c1", "just before");
    heal();

    await inbox.resync(services.position);

    expect(view("c1")?.preview?.text).toBe("just before");
    expect(view("c1")?.unreadCount).toBe(2);
  });

  test("asks again when the list has to catch up", async () => {
    const { inbox, services, view, waits, cut, heal } = anInbox();
    customers(services, 1);
    cut();
    services.writes("c1", "just before");
    heal();
    services.isStuck = true;
    const resync = inbox.resync(services.position);
    await settle();
    expect(inbox.store.snapshot.isLoaded).toBe(false);
    services.isStuck = false;
    for (const wait of waits.splice(0)) wait();
    await resync;

    expect(view("c1")?.preview?.text).toBe("just before");
    expect(waits).toHaveLength(0);
  });

  test("shows a list that stands still as it is, and loads it anew as soon as it may have caught up", async () => {
    const { inbox, services, view, waits, failures, cut, heal } = anInbox();
    customers(services, 1);
    cut();
    services.writes("c1", "just before");
    heal();
    services.isStuck = true;
    const resync = inbox.resync(services.position);
    await settle();
    for (const wait of waits.splice(0)) wait();
    await resync;
    expect(view("c1")?.preview?.text).toBe("hello from 1");
    expect(inbox.store.snapshot).toMatchObject({ isLoaded: true, isCatchingUp: true });
    expect(failures).toHaveLength(0);

    services.writes("c1", "on the line");
    services.isStuck = false;
    for (const wait of waits.splice(0)) wait();
    await settle();

    expect(view("c1")?.preview?.text).toBe("on the line");
    expect(view("c1")?.unreadCount).toBe(3);
    expect(inbox.store.snapshot.isCatchingUp).toBe(false);
    expect(waits).toHaveLength(0);
  });

  test("a newer resync overtakes an older one", async () => {
    const { inbox, services, list } = anInbox();
    customers(services, 2);
    const first = inbox.resync();
    const second = inbox.resync();
    await Promise.all([first, second]);
    expect(list()).toEqual(["c2", "c1"]);
    expect(inbox.store.snapshot.isCatchingUp).toBe(false);
  });

  test("a wrong address does not keep the inbox from loading", async () => {
    const { inbox, services, list } = anInbox();
    customers(services, 1);
    await expect(inbox.openConversation("nobody")).rejects.toThrow();
    await inbox.resync();
    expect(list()).toEqual(["c1"]);
  });

  test("keeps who is there, which is told once per line", async () => {
    const { inbox } = anInbox();
    await inbox.resync();
    inbox.receive(
      create(ServerFrameSchema, {
        body: { case: "presence", value: { memberId: "bo", conversationId: "c1" } },
      }),
    );
    await inbox.resync();
    expect(inbox.store.snapshot.state.presence.get("bo")?.conversationId).toBe("c1");
  });
});
