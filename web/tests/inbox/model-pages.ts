/** What the model of the services answers when it is asked for a page. */

import { clone } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  type Conversation,
  ConversationSchema,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import type { Tag } from "../../src/gen/inbox/conversation/v1/tag_pb";
import { type Message, MessageSchema } from "../../src/gen/inbox/messaging/v1/message_pb";
import { type ListQuery, NOBODY } from "../../src/inbox/list-query";
import { livingTag } from "../../src/inbox/tags";
import { refused } from "./model-refusals";

/** A page of the list is short like this, and looks at no more of the folder, so that some bring nothing. */
const PAGE = 3;
const LOOKED_AT = 5;

/** Newest activity first. */
export function pageOfList(
  conversations: ReadonlyMap<string, Conversation>,
  tags: ReadonlyMap<string, Tag>,
  query: ListQuery,
  pageToken: string,
) {
  if (query.tagKeys.some((key) => livingTag(tags, key) === undefined)) {
    throw refused("tag not found", Code.NotFound, "TAG_NOT_FOUND");
  }
  const folder = [...conversations.values()]
    .filter(({ folder }) => folder === query.folder)
    .sort((a, b) =>
      Number((b.lastActivityTime?.seconds ?? 0n) - (a.lastActivityTime?.seconds ?? 0n)),
    );
  const isListed = ({
    inboundCount,
    readOrdinal,
    tagIds,
    waitingSince,
    assigneeId,
  }: Conversation) =>
    (waitingSince !== undefined || !query.isWaitingOnly) &&
    ["", assigneeId || NOBODY].includes(query.assignee) &&
    (inboundCount > readOrdinal || !query.isUnreadOnly) &&
    query.tagKeys.every((key) => tagIds.includes(livingTag(tags, key)?.id ?? ""));
  const from = Number(pageToken || 0);
  const page: Conversation[] = [];
  let to = from;
  for (const conversation of folder.slice(from, from + LOOKED_AT)) {
    if (page.length === PAGE) break;
    if (isListed(conversation)) page.push(clone(ConversationSchema, conversation));
    to += 1;
  }
  const { lastActivityTime: time, id } = folder[to - 1] ?? {};
  const frontier = to < folder.length && time && id ? { time, id } : null;
  return { conversations: page, nextPageToken: frontier ? String(to) : "", frontier };
}

/** Newest first, as the real one gives them. */
export function pageOfHistory(
  all: readonly Message[],
  bound: { beforeSeq?: bigint; afterSeq?: bigint },
  pageSize: number,
) {
  const { beforeSeq = 0n, afterSeq = 0n } = bound;
  const asked = all.filter(
    ({ seq }) => (beforeSeq === 0n || seq < beforeSeq) && (afterSeq === 0n || seq > afterSeq),
  );
  const page = afterSeq > 0n ? asked.slice(0, pageSize) : asked.slice(-pageSize);
  return {
    messages: page.map((message) => clone(MessageSchema, message)).reverse(),
    hasMore: asked.length > page.length,
  };
}
