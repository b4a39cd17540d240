/** What screens show, put together from the state. Same input, same object: React may compare by identity. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type {
  Contact,
  Conversation,
  Folder,
  Preview,
} from "../gen/inbox/conversation/v1/conversation_pb";
import type { ChannelKind } from "../gen/inbox/messaging/v1/channel_pb";
import type { Message } from "../gen/inbox/messaging/v1/message_pb";
import type { ConversationMode, Hold } from "../gen/inbox/messaging/v1/thread_pb";
import { contactOf } from "./contacts";
import { filterOf, keyOf as keyOfQuery, type ListQuery } from "./list-query";
import { compareTimes } from "./merge";
import {
  EMPTY_PROJECTION,
  type InboxState,
  type ListKey,
  type Projection,
  type ThreadWindow,
} from "./state";

export interface ConversationView {
  readonly id: string;
  readonly contactName: string;
  readonly channelId: string;
  readonly channelKind: ChannelKind;
  readonly folder: Folder;
  readonly preview: Preview | null;
  readonly lastActivityTime: Timestamp | null;
  readonly inboundCount: bigint;
  readonly readOrdinal: bigint;
  readonly unreadCount: number;
  readonly mode: ConversationMode;
  readonly modeEpoch: bigint;
  readonly version: bigint;
  /** One of a deleted tag may be among them: show nothing for it. */
  readonly tagIds: readonly string[];
  /** The member who looks after it; empty for nobody. */
  readonly assigneeId: string;
  readonly waitingSince: Timestamp | null;
  readonly hold: Hold | null;
}

/** What a person did and the service has not confirmed yet. */
export interface Pending {
  readonly folder: ReadonlyMap<string, Folder>;
  readonly mode: ReadonlyMap<string, ConversationMode>;
  readonly readOrdinal: ReadonlyMap<string, bigint>;
  /** By `tagging`: whether it shall have the tag. */
  readonly tags: ReadonlyMap<string, boolean>;
  /** The member who shall look after it; empty for nobody. */
  readonly assigneeId: ReadonlyMap<string, string>;
}

export const NOTHING_PENDING: Pending = {
  folder: new Map(),
  mode: new Map(),
  readOrdinal: new Map(),
  tags: new Map(),
  assigneeId: new Map(),
};

export function tagging(conversationId: string, tagId: string): string {
  return `${conversationId} ${tagId}`;
}

/** Its tags as they will be; the same list where nothing is pending. */
function tagIdsOf({ id, tagIds }: Conversation, { tags }: Pending): readonly string[] {
  let next: readonly string[] = tagIds;
  for (const [key, isOn] of tags) {
    const [conversationId, tagId = ""] = key.split(" ");
    if (conversationId !== id || next.includes(tagId) === isOn) continue;
    next = isOn ? [...next, tagId] : next.filter((known) => known !== tagId);
  }
  return next;
}

/** Unread is arithmetic; nothing counts up or down. */
export function unreadCount(inboundCount: bigint, readOrdinal: bigint): number {
  return inboundCount > readOrdinal ? Number(inboundCount - readOrdinal) : 0;
}

interface Parts {
  readonly conversation: Conversation;
  readonly contact: Contact | undefined;
  readonly projection: Projection;
  readonly folder: Folder;
  readonly mode: ConversationMode;
  readonly readOrdinal: bigint;
  readonly tagIds: readonly string[];
  readonly assigneeId: string;
}

/** Remembers the last view of each conversation, so an unchanged one stays the same object. */
export class ConversationViews {
  readonly #made = new Map<string, { parts: Parts; view: ConversationView }>();
  #lists = new Map<
    string,
    { state: InboxState; pending: Pending; list: readonly ConversationView[] }
  >();

  /** Null while the owner has not told about it. */
  one(state: InboxState, pending: Pending, id: string): ConversationView | null {
    const conversation = state.conversations.get(id);
    if (conversation === undefined) return null;
    const projection = state.projections.get(id) ?? EMPTY_PROJECTION;
    const pendingRead = pending.readOrdinal.get(id) ?? 0n;
    const parts: Parts = {
      conversation,
      contact: contactOf(state, conversation.contact?.id ?? ""),
      projection,
      folder: pending.folder.get(id) ?? conversation.folder,
      mode: pending.mode.get(id) ?? projection.mode,
      readOrdinal: pendingRead > conversation.readOrdinal ? pendingRead : conversation.readOrdinal,
      tagIds: tagIdsOf(conversation, pending),
      assigneeId: pending.assigneeId.get(id) ?? conversation.assigneeId,
    };
    const made = this.#made.get(id);
    if (made !== undefined && isSame(made.parts, parts)) return made.view;
    const view = viewOf(parts);
    this.#made.set(id, { parts, view });
    return view;
  }

  /** Newest activity first, as far as it is loaded without holes. */
  list(state: InboxState, pending: Pending, query: ListQuery): readonly ConversationView[] {
    const key = keyOfQuery(query);
    const last = this.#lists.get(key);
    if (last?.state === state && last.pending === pending) return last.list;
    const pages = state.lists.get(key);
    const isLetThrough = filterOf(query, state.tags);
    const list: ConversationView[] = [];
    for (const id of state.conversations.keys()) {
      const view = this.one(state, pending, id);
      if (view === null || pages === undefined || !isLetThrough(view)) continue;
      // Below the last loaded row there may be others that are not loaded yet.
      if (pages.frontier !== null && compareKeys(keyOf(view), pages.frontier) > 0) continue;
      list.push(view);
    }
    list.sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
    const kept = last !== undefined && isSameList(last.list, list) ? last.list : list;
    this.#lists.set(key, { state, pending, list: kept });
    return kept;
  }
}

function keyOf(view: ConversationView): { time: Timestamp | null; id: string } {
  return { time: view.lastActivityTime, id: view.id };
}

/** Below 0 when `a` stands above `b`. */
export function compareKeys(
  a: { time: Timestamp | null; id: string },
  b: ListKey | typeof a,
): number {
  const byTime = compareTimes(b.time, a.time);
  if (byTime !== 0) return byTime;
  return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}

function isSame(a: Parts, b: Parts): boolean {
  return (
    a.conversation === b.conversation &&
    a.contact === b.contact &&
    a.projection === b.projection &&
    a.folder === b.folder &&
    a.mode === b.mode &&
    a.readOrdinal === b.readOrdinal &&
    a.assigneeId === b.assigneeId &&
    isSameList(a.tagIds, b.tagIds)
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function viewOf(parts: Parts): ConversationView {
  const { conversation, contact, projection } = parts;
  return {
    id: conversation.id,
    contactName: (contact ?? conversation.contact)?.displayName ?? "",
    channelId: conversation.channelId,
    channelKind: conversation.channelKind,
    folder: parts.folder,
    preview: projection.preview,
    lastActivityTime: projection.lastActivityTime ?? conversation.createTime ?? null,
    inboundCount: projection.inboundCount,
    readOrdinal: parts.readOrdinal,
    unreadCount: unreadCount(projection.inboundCount, parts.readOrdinal),
    mode: parts.mode,
    modeEpoch: projection.modeEpoch,
    version: conversation.version,
    tagIds: parts.tagIds,
    assigneeId: parts.assigneeId,
    waitingSince: projection.waitingSince,
    hold: projection.hold,
  };
}

interface Run {
  readonly messages: readonly Message[];
  readonly holeAfter: bigint | null;
}

const runs = new WeakMap<ThreadWindow, Run>();

function runOf(window: ThreadWindow): Run {
  const made = runs.get(window);
  if (made !== undefined) return made;
  const first = window.firstSeq ?? 1n;
  const last = window.lastSeq;
  const messages = [...window.bySeq.values()]
    .filter(({ seq }) => seq >= first && (last === null || seq <= last))
    .sort((a, b) => (a.seq < b.seq ? -1 : 1));
  let seq = first;
  while (window.bySeq.has(seq)) seq += 1n;
  const isWhole = seq - first === BigInt(messages.length);
  const run = { messages, holeAfter: isWhole ? null : seq - 1n };
  runs.set(window, run);
  return run;
}

/**
 * The loaded messages, oldest first; null while the first page is under way. A message behind a hole is shown already:
 * our own must not vanish between its answer and the frames before it.
 */
export function threadMessages(
  state: InboxState,
  conversationId: string,
): readonly Message[] | null {
  const window = state.threads.get(conversationId);
  return window === undefined || window.firstSeq === null ? null : runOf(window).messages;
}

/** Whether this message is among those shown, or would be if it existed. */
export function isShown(state: InboxState, conversationId: string, seq: bigint): boolean {
  const window = state.threads.get(conversationId);
  if (window === undefined || window.firstSeq === null || seq < window.firstSeq) return false;
  return seq <= (window.lastSeq ?? runOf(window).messages.at(-1)?.seq ?? 0n);
}

/** The seq after which messages are missing, or null when the window has no hole. */
export function holeAfter(state: InboxState, conversationId: string): bigint | null {
  const window = state.threads.get(conversationId);
  return window === undefined || window.firstSeq === null ? null : runOf(window).holeAfter;
}

/** Conversations that messaging told about and their owner has not: to be asked for. */
export function unknownConversations(state: InboxState): string[] {
  return [...state.projections.keys()].filter((id) => !state.conversations.has(id));
}
