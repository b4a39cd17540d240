import { expect, test } from "vitest";
import { listOf, OPEN_LIST, placeOf, searchOf } from "../../src/app/list-address";
import { Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { keyOf, listQuery, MOST_TAGS, NOBODY } from "../../src/inbox/list-query";

test("all of Open needs no words, and what nobody knows is all of Open", () => {
  expect(searchOf(OPEN_LIST)).toBe("");
  expect(listOf("")).toEqual(OPEN_LIST);
  expect(listOf("?folder=bin&tag=")).toEqual(OPEN_LIST);
});

test("every list has an address that says it", () => {
  for (const folder of [Folder.OPEN, Folder.SOLVED, Folder.SPAM, Folder.ARCHIVED]) {
    for (const isUnreadOnly of [false, true]) {
      for (const tagKeys of [[], ["priority"], ["priority", "a_b-c"]]) {
        const query = listQuery(folder, { isUnreadOnly, tagKeys });
        expect(listOf(searchOf(query))).toEqual(query);
      }
    }
  }
});

test("the order of tags is no part of the question, and a tag counts once", () => {
  const query = listOf("?folder=spam&unread=1&tag=vip&tag=priority&tag=vip");
  expect(query.tagKeys).toEqual(["priority", "vip"]);
  expect(keyOf(query)).toBe(keyOf(listOf("?tag=priority&tag=vip&unread=1&folder=spam")));
  expect(searchOf(query)).toBe("?folder=spam&unread=1&tag=priority&tag=vip");
});

test("an address asks for no more tags than the service takes", () => {
  expect(listOf("?tag=a&tag=b&tag=c&tag=d&tag=e&tag=f").tagKeys).toHaveLength(MOST_TAGS);
});

test("a place in a conversation is the number of its message, and nothing else", () => {
  expect(searchOf(listOf("?unread=1"), { seq: 42n })).toBe("?unread=1&at=42");
  expect(placeOf("?unread=1&at=42")).toEqual({ seq: 42n });
  for (const nowhere of ["", "?at=", "?at=0", "?at=-4", "?at=4x", "?at=99999999999999999999"]) {
    expect(placeOf(nowhere)).toBeNull();
  }
});

test("whose conversations they are and whether they wait are in the address too", () => {
  const query = listQuery(Folder.OPEN, { isWaitingOnly: true, assignee: NOBODY });
  expect(searchOf(query)).toBe("?waiting=1&assignee=nobody");
  expect(listOf(searchOf(query))).toEqual(query);
});
