/** The workspace's tags, for choosing among them and for showing those of a conversation. */

import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";
import { livingTags, PRIORITY } from "../inbox/tags";
import { useInbox } from "./session";

export interface Tags {
  /** Null until the first snapshot is in. */
  readonly star: Tag | null;
  /** All but the star. */
  readonly labels: readonly Tag[];
}

export function useTags(): Tags {
  const all = useInbox((snapshot) => livingTags(snapshot.state.tags));
  return {
    star: all.find((tag) => tag.key === PRIORITY) ?? null,
    labels: all.filter((tag) => tag.key !== PRIORITY),
  };
}
