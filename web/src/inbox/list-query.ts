/** Which conversations a list shows: those of a folder that every one of its filters lets through. */

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
}

export function listQuery(
  folder: Folder,
  filters: { isUnreadOnly?: boolean; tagKeys?: readonly string[] } = {},
): ListQuery {
  const tagKeys = [...new Set(filters.tagKeys ?? [])].sort().slice(0, MOST_TAGS);
  return { folder, isUnreadOnly: filters.isUnreadOnly ?? false, tagKeys };
}

/** The same for two queries that ask for the same. */
export function keyOf({ folder, isUnreadOnly, tagKeys }: ListQuery): string {
  return [folder, isUnreadOnly, ...tagKeys].join(" ");
}

export function isFiltered({ isUnreadOnly, tagKeys }: ListQuery): boolean {
  return isUnreadOnly || tagKeys.length > 0;
}

interface Listed {
  readonly folder: Folder;
  readonly unreadCount: number;
  readonly tagIds: readonly string[];
}

/** No conversation has a tag that is not there, or not there any more. */
export function filterOf(
  query: ListQuery,
  tags: ReadonlyMap<string, Tag>,
): (conversation: Listed) => boolean {
  const wanted = query.tagKeys.map((key) => livingTag(tags, key)?.id);
  return ({ folder, unreadCount, tagIds }) =>
    folder === query.folder &&
    (unreadCount > 0 || !query.isUnreadOnly) &&
    wanted.every((id) => id !== undefined && tagIds.includes(id));
}
