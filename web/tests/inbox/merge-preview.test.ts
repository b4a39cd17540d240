import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ContactProfileSchema } from "../../src/gen/inbox/conversation/v1/contact_pb";
import { ContactSchema } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { previewOfMerge, type WholeContact } from "../../src/inbox/merge-preview";

function aContact(
  displayName: string,
  profile: { email?: string; phone?: string; tagIds?: string[]; fields?: Record<string, string> },
): WholeContact {
  const { fields = {}, ...rest } = profile;
  return {
    contact: create(ContactSchema, {
      displayName,
      identities: [{ channelId: "chat", externalId: `${displayName}'s` }],
    }),
    profile: create(ContactProfileSchema, {
      ...rest,
      fields: Object.entries(fields).map(([key, value]) => ({ key, value })),
    }),
  };
}

test("what both have, the one that stays keeps, and the other's is named as dropped", () => {
  const ana = aContact("Ana", { email: "ana@example.com" });
  const ann = aContact("Ann", { email: "ann@example.com", phone: "+5411" });

  expect(previewOfMerge(ana, ann).lines).toEqual([
    { name: "Name", kept: "Ana", dropped: "Ann" },
    { name: "E-mail", kept: "ana@example.com", dropped: "ann@example.com" },
    { name: "Phone", kept: "+5411", dropped: "" },
  ]);
});

test("the same in both is dropped of neither", () => {
  const line = previewOfMerge(aContact("Ana", {}), aContact("Ana", {})).lines;

  expect(line).toEqual([{ name: "Name", kept: "Ana", dropped: "" }]);
});

test("details, labels and identities of both are kept, each once", () => {
  const ana = aContact("Ana", { tagIds: ["vip", "new"], fields: { order: "1", size: "M" } });
  const ann = aContact("Ann", { tagIds: ["vip", "old"], fields: { order: "2", color: "red" } });

  const preview = previewOfMerge(ana, ann);

  expect(preview.tagIds).toEqual(["vip", "new", "old"]);
  expect(preview.identities.map(({ externalId }) => externalId)).toEqual(["Ana's", "Ann's"]);
  expect(preview.lines.slice(1)).toEqual([
    { name: "color", kept: "red", dropped: "" },
    { name: "order", kept: "1", dropped: "2" },
    { name: "size", kept: "M", dropped: "" },
  ]);
});
