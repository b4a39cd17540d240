/** Which conversations a list shows: those of a folder that every one of its filters lets through. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";
import { livingTag } from "./tags";

/** The service takes no more in one question. */
export const MOST_TAGS = 5;

export interface ListQuery {
  readonly folder: Folder;
  readonly isUnreadOnly: boolean;
  /** Sorted. A conversation must have all of them; the star is one of them. */
  readonly tagKeys: readonly string[];
  readonly isWaitingOnly: boolean;
  /** A member's id, or `NOBODY`; empty for everybody's. */
  readonly assignee: string;
}

/** As an assignee: conversations that no member looks after. */
export const NOBODY = "nobody";

export function listQuery(
  folder: Folder,
  filters: Partial<Omit<ListQuery, "folder">> = {},
): ListQuery {
  const { isUnreadOnly = false, isWaitingOnly = false, assignee = "" } = filters;
  const tagKeys = [...new Set(filters.tagKeys ?? [])].sort().slice(0, MOST_TAGS);
  return { folder, isUnreadOnly, tagKeys, isWaitingOnly, assignee };
}

/** The same for two queries that ask for the same. */
export function keyOf(query: ListQuery): string {
  const { folder, isUnreadOnly, isWaitingOnly, assignee, tagKeys } = query;
  return [folder, isUnreadOnly, isWaitingOnly, assignee, ...tagKeys].join(" ");
}

export function isFiltered({ isUnreadOnly, isWaitingOnly, assignee, tagKeys }: ListQuery): boolean {
  return isUnreadOnly || isWaitingOnly || assignee !== "" || tagKeys.length > 0;
}

interface Listed {
  readonly folder: Folder;
  readonly unreadCount: number;
  readonly tagIds: readonly string[];
  readonly assigneeId: string;
  readonly waitingSince: Timestamp | null;
}

/** No conversation has a tag that is not there, or not there any more. */
export function filterOf(
  query: ListQuery,
  tags: ReadonlyMap<string, Tag>,
): (conversation: Listed) => boolean {
  const wanted = query.tagKeys.map((key) => livingTag(tags, key)?.id);
  const assignee = query.assignee === NOBODY ? "" : query.assignee;
  return ({ folder, unreadCount, tagIds, assigneeId, waitingSince }) =>
    folder === query.folder &&
    (unreadCount > 0 || !query.isUnreadOnly) &&
    (waitingSince !== null || !query.isWaitingOnly) &&
    (assigneeId === assignee || query.assignee === "") &&
    wanted.every((id) => id !== undefined && tagIds.includes(id));
}
