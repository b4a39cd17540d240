/** The workspace's tags as people choose among them. */

import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";

/** The key of the built-in tag that is the star. */
export const PRIORITY = "priority";

const living = new WeakMap<ReadonlyMap<string, Tag>, readonly Tag[]>();

/** Without the deleted ones: the star first, then by name. The same list for the same tags. */
export function livingTags(tags: ReadonlyMap<string, Tag>): readonly Tag[] {
  const made = living.get(tags);
  if (made !== undefined) return made;
  const list = [...tags.values()]
    .filter((tag) => !tag.isDeleted)
    .sort(
      (a, b) =>
        Number(b.isBuiltIn) - Number(a.isBuiltIn) ||
        a.displayName.localeCompare(b.displayName) ||
        (a.key < b.key ? -1 : 1),
    );
  living.set(tags, list);
  return list;
}

export function livingTag(tags: ReadonlyMap<string, Tag>, key: string): Tag | undefined {
  return livingTags(tags).find((tag) => tag.key === key);
}
