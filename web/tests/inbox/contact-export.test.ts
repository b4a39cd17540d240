import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type ExportedRecord,
  ExportedRecordSchema,
} from "../../src/gen/inbox/conversation/v1/privacy_service_pb";
import { exportContact, exportFileName } from "../../src/inbox/contact-export";

function aRecord(text: string): ExportedRecord {
  return create(ExportedRecordSchema, { record: { case: "message", value: { text } } });
}

test("every page goes into one file that is JSON, a record on each line", async () => {
  const pages: Record<string, ExportedRecord[]> = { "": [aRecord("hola")], b: [aRecord("[\n],")] };
  const progress: number[] = [];

  const parts = await exportContact(
    async (pageToken) => ({ records: pages[pageToken] ?? [], nextPageToken: pageToken ? "" : "b" }),
    (records) => progress.push(records),
  );

  const file = parts.join("");
  expect(JSON.parse(file)).toEqual([{ message: { text: "hola" } }, { message: { text: "[\n]," } }]);
  expect(file.split("\n")).toHaveLength(5);
  expect(progress).toEqual([1, 2]);
});

test("a page that cannot be read makes no file", async () => {
  const ask = async (pageToken: string) => {
    if (pageToken !== "") throw new Error("away");
    return { records: [aRecord("hola")], nextPageToken: "b" };
  };

  await expect(exportContact(ask, () => {})).rejects.toThrow("away");
});

test("the file is named after the contact, in what every system takes", () => {
  expect(exportFileName("  Añá / López! ", "id", "2026-11-25")).toBe(
    "contact-ana-lopez-2026-11-25.json",
  );
  expect(exportFileName("???", "id", "2026-11-25")).toBe("contact-id-2026-11-25.json");
});
