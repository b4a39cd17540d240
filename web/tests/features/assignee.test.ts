import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { assignableOf, memberName } from "../../src/features/assignee";
import { Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { MemberSchema, MemberState } from "../../src/gen/inbox/identity/v1/identity_pb";
import { Role } from "../../src/gen/inbox/policy/v1/policy_pb";
import { listQuery, NOBODY } from "../../src/inbox/list-query";
import { anInbox } from "../inbox/an-inbox";

function aMember(id: string, role = Role.AGENT, state = MemberState.ACTIVE) {
  return create(MemberSchema, { id, displayName: id.toUpperCase(), role, state });
}

test("an assignment shows at once, in the lists too, and is taken back when it is refused", async () => {
  const { inbox, services, view, list } = anInbox();
  services.writes("c", "hello");
  services.projectAll();
  const mine = listQuery(Folder.OPEN, { assignee: "bea" });
  const nobodys = listQuery(Folder.OPEN, { assignee: NOBODY });
  await inbox.resync();
  await inbox.loadMore(mine);
  await inbox.loadMore(nobodys);

  const assigning = inbox.assign("c", "bea");
  expect(view("c")?.assigneeId).toBe("bea");
  expect([list(mine), list(nobodys)]).toEqual([["c"], []]);
  await assigning;
  expect([list(mine), list(nobodys)]).toEqual([["c"], []]);

  services.assign = async () => {
    throw new Error("refused");
  };
  await expect(inbox.assign("c", "")).rejects.toThrow("refused");
  expect(view("c")?.assigneeId).toBe("bea");
});

test("what a colleague assigns shows by itself", async () => {
  const { inbox, services, view } = anInbox();
  services.writes("c", "hello");
  services.projectAll();
  await inbox.resync();

  await services.assign("c", "cem");

  expect(view("c")?.assigneeId).toBe("cem");
});

test("whoever may write can be chosen, oneself first", () => {
  const members = [
    aMember("cem"),
    aMember("bea", Role.OWNER),
    aMember("ana"),
    aMember("dora", Role.READ_ONLY),
    aMember("eve", Role.AGENT, MemberState.REMOVED),
  ];
  expect(assignableOf(members, "cem").map(({ id }) => id)).toEqual(["cem", "ana", "bea"]);
});

test("one is called You, and whoever is not known yet a colleague", () => {
  const members = new Map([["ana", aMember("ana")]]);
  expect(memberName(members, "ana", "bea")).toBe("ANA");
  expect(memberName(members, "bea", "bea")).toBe("You");
  expect(memberName(members, "cem", "bea")).toBe("A colleague");
  expect(memberName(members, "", "bea")).toBe("");
});
