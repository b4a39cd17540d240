/** Everything that is kept of a contact, as a file: JSON with a record on each line. */

import { toJson } from "@bufbuild/protobuf";
import {
  type ExportContactResponse,
  ExportedRecordSchema,
} from "../gen/inbox/conversation/v1/privacy_service_pb";

export type AskForExport = (
  pageToken: string,
) => Promise<Pick<ExportContactResponse, "records" | "nextPageToken">>;

/** The file's parts. Page by page, so that no page is asked for before the one before it is in; rejects when one could not be read. */
export async function exportContact(
  ask: AskForExport,
  onProgress: (records: number) => void,
): Promise<string[]> {
  const lines: string[] = [];
  let pageToken = "";
  do {
    const page = await ask(pageToken);
    for (const record of page.records) {
      lines.push(JSON.stringify(toJson(ExportedRecordSchema, record)));
    }
    onProgress(lines.length);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ["[\n", lines.join(",\n"), "\n]\n"];
}

/** "contact-ana-lopez-2026-11-25.json": of a name, what every system takes in a file's name. */
export function exportFileName(name: string, contactId: string, day: string): string {
  const plain = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 60);
  return `contact-${plain || contactId}-${day}.json`;
}
