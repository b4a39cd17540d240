/** Lists behind filters: what a person does shows at once, is taken back when refused, and keeps its place. */

import { expect, test } from "vitest";
import { Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { Inbox } from "../../src/inbox/inbox";
import { keyOf, type ListQuery, listQuery } from "../../src/inbox/list-query";
import { ConversationViews } from "../../src/inbox/views";
import { ModelServices } from "./model";

const STARRED = listQuery(Folder.OPEN, { tagKeys: ["priority"] });
const UNREAD = listQuery(Folder.OPEN, { isUnreadOnly: true });

function anInbox(count: number) {
  const services = new ModelServices((frame) => inbox.receive(frame));
  const inbox = new Inbox(
    services,
    { now: () => 0, wait: () => new Promise(() => {}) },
    { outboundSeen: () => {}, failed: () => {} },
  );
  services.changeTag("priority", "");
  for (let n = 1; n <= count; n += 1) services.writes(`c${n}`, `hello from ${n}`);
  services.projectAll();
  const views = new ConversationViews();
  const list = (query: ListQuery) => {
    const { state, pending } = inbox.store.snapshot;
    return views.list(state, pending, query).map((conversation) => conversation.id);
  };
  return { inbox, services, list };
}

test("a star shows at once and goes out again when it is refused", async () => {
  const { inbox, services, list } = anInbox(2);
  inbox.showList(STARRED);
  await inbox.resync();
  expect(list(STARRED)).toEqual([]);

  const starring = inbox.setTag("c1", "priority", true);
  expect(list(STARRED)).toEqual(["c1"]);
  await starring;
  expect(list(STARRED)).toEqual(["c1"]);

  services.untag = async () => {
    throw new Error("refused");
  };
  const refused = inbox.setTag("c1", "priority", false);
  expect(list(STARRED)).toEqual([]);
  await expect(refused).rejects.toThrow("refused");
  expect(list(STARRED)).toEqual(["c1"]);
});

test("pending tags of two conversations keep apart", async () => {
  const { inbox, list } = anInbox(2);
  await inbox.resync();
  await inbox.loadMore(STARRED);
  const both = [inbox.setTag("c1", "priority", true), inbox.setTag("c2", "priority", true)];
  expect(list(STARRED)).toEqual(["c2", "c1"]);
  await Promise.all(both);
  expect(list(STARRED)).toEqual(["c2", "c1"]);
});

test("each list is paged by itself, and none shows what lies beyond its last page", async () => {
  const { inbox, services, list } = anInbox(7);
  for (const id of ["c1", "c2", "c3", "c4"]) await services.tag(id, "priority");
  await inbox.resync();
  await inbox.loadMore(STARRED);
  expect(list(listQuery(Folder.OPEN))).toEqual(["c7", "c6", "c5"]);
  expect(list(STARRED)).toEqual(["c4", "c3"]);
  await inbox.loadMore(STARRED);
  expect(list(STARRED)).toEqual(["c4", "c3", "c2", "c1"]);
  expect(list(listQuery(Folder.OPEN))).toEqual(["c7", "c6", "c5"]);
});

test("a page that brings nothing says how far it looked, and what changes there is neither lost nor early", async () => {
  const { inbox, services, list } = anInbox(12);
  await services.tag("c1", "priority");
  await inbox.resync();
  await inbox.loadMore(STARRED);
  const pages = inbox.store.latest.lists.get(keyOf(STARRED));
  expect(pages).toMatchObject({ frontier: { id: "c8" } });
  expect(list(STARRED)).toEqual([]);

  await services.tag("c9", "priority");
  await services.tag("c4", "priority");
  expect(list(STARRED)).toEqual(["c9"]);

  await inbox.loadMore(STARRED);
  expect(list(STARRED)).toEqual(["c9", "c4"]);
  await inbox.loadMore(STARRED);
  expect(list(STARRED)).toEqual(["c9", "c4", "c1"]);
  expect(inbox.store.latest.lists.get(keyOf(STARRED))?.nextPageToken).toBe("");
});

test("what was seen leaves the unread list, and what is marked unread comes back", async () => {
  const { inbox, list } = anInbox(2);
  inbox.showList(UNREAD);
  await inbox.resync();
  await inbox.markRead("c1", 1n);
  expect(list(UNREAD)).toEqual(["c2"]);
  await inbox.markUnread("c1");
  expect(list(UNREAD)).toEqual(["c2", "c1"]);
});

test("a list by a tag that is not there is empty, and does not keep the inbox from loading", async () => {
  const { inbox, services, list } = anInbox(2);
  const query = listQuery(Folder.OPEN, { tagKeys: ["vip"] });
  inbox.showList(query);
  await inbox.resync();
  expect(inbox.store.snapshot.isLoaded).toBe(true);
  expect(list(query)).toEqual([]);

  services.changeTag("vip", "VIP");
  await services.tag("c1", "vip");
  expect(list(query)).toEqual(["c1"]);
  services.changeTag("vip", null);
  expect(list(query)).toEqual([]);
});
