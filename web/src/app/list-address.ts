/** Which list is shown, and which message is looked at, as the query of the address says it. */

import { Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import { type ListQuery, listQuery } from "../inbox/list-query";

const FOLDERS: ReadonlyMap<string, Folder> = new Map([
  ["open", Folder.OPEN],
  ["solved", Folder.SOLVED],
  ["spam", Folder.SPAM],
  ["archived", Folder.ARCHIVED],
]);

export const OPEN_LIST = listQuery(Folder.OPEN);

export function listOf(search: string): ListQuery {
  const query = new URLSearchParams(search);
  return listQuery(FOLDERS.get(query.get("folder") ?? "") ?? Folder.OPEN, {
    isUnreadOnly: query.has("unread"),
    tagKeys: query.getAll("tag").filter(Boolean),
    isWaitingOnly: query.has("waiting"),
    assignee: query.get("assignee") ?? "",
  });
}

/** The place in the conversation to look at; whoever wants to look there again makes another one. */
export interface Place {
  readonly seq: bigint;
}

export function placeOf(search: string): Place | null {
  const at = new URLSearchParams(search).get("at") ?? "";
  return /^[1-9]\d{0,14}$/.test(at) ? { seq: BigInt(at) } : null;
}

/** With its question mark; empty for all of Open. */
export function searchOf(
  { folder, isUnreadOnly, isWaitingOnly, assignee, tagKeys }: ListQuery,
  at: Place | null = null,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of FOLDERS) {
    if (value === folder && folder !== Folder.OPEN) query.set("folder", name);
  }
  if (isUnreadOnly) query.set("unread", "1");
  if (isWaitingOnly) query.set("waiting", "1");
  if (assignee !== "") query.set("assignee", assignee);
  for (const key of tagKeys) query.append("tag", key);
  if (at !== null) query.set("at", String(at.seq));
  return query.size === 0 ? "" : `?${query}`;
}
