/**
 * How one piece of news joins what is known: the higher version wins, whichever way it came. Joining is commutative
 * and a repeat changes nothing, so frames and pages may meet in any order.
 */

import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Contact,
  type Conversation,
  type Preview,
  PreviewSchema,
  type SeenBy,
} from "../gen/inbox/conversation/v1/conversation_pb";
import type { Counter } from "../gen/inbox/conversation/v1/counter_pb";
import type { InboxSettings } from "../gen/inbox/conversation/v1/settings_pb";
import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";
import { type Message, MessageDirection } from "../gen/inbox/messaging/v1/message_pb";
import type { Thread } from "../gen/inbox/messaging/v1/thread_pb";
import {
  EMPTY_PROJECTION,
  EMPTY_WINDOW,
  type InboxState,
  type Projection,
  type ThreadWindow,
} from "./state";

const PREVIEW_LENGTH = 140;

export function compareTimes(
  a: Timestamp | null | undefined,
  b: Timestamp | null | undefined,
): number {
  const seconds = (a?.seconds ?? 0n) - (b?.seconds ?? 0n);
  if (seconds !== 0n) return seconds < 0n ? -1 : 1;
  return (a?.nanos ?? 0) - (b?.nanos ?? 0);
}

/** The map with one more entry; the same map if `value` is the one it has. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  if (map.get(key) === value) return map;
  return new Map(map).set(key, value);
}

export function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** Whether a message of this seq was erased. */
function isErased(state: InboxState, conversationId: string, seq: bigint): boolean {
  return seq <= (state.erasedSeqs.get(conversationId) ?? 0n);
}

function newer<T extends { version: bigint }>(known: T | undefined, news: T): T {
  return known !== undefined && known.version >= news.version ? known : news;
}

/** Keep the entity with the higher version. */
export function withNewer<T extends { version: bigint }>(
  map: ReadonlyMap<string, T>,
  key: string,
  news: T,
): ReadonlyMap<string, T> {
  return withEntry(map, key, newer(map.get(key), news));
}

/** Somebody said it. A row for the team has its place in the order, but is no preview and no activity. */
export function isSaid(message: Message): boolean {
  return message.direction !== MessageDirection.INTERNAL;
}

/** The beginning of a message on one line, as the list shows it; the conversation service makes the same. */
export function previewOf(message: Message): Preview {
  const line = message.text.split(/\s+/u).filter(Boolean).join(" ");
  return create(PreviewSchema, {
    seq: message.seq,
    authorKind: message.author?.kind,
    text: [...line].slice(0, PREVIEW_LENGTH).join(""),
    createTime: message.createTime,
    attachmentKind: message.attachments[0]?.kind,
  });
}

export function joinProjections(known: Projection, news: Projection): Projection {
  const hasNewerPreview =
    news.preview !== null && (known.preview === null || news.preview.seq > known.preview.seq);
  const hasNewerMode = news.modeEpoch > known.modeEpoch;
  const hasMoreInbound = news.inboundCount > known.inboundCount;
  const hasNewerThread = news.threadVersion > known.threadVersion;
  if (!hasNewerPreview && !hasNewerMode && !hasMoreInbound && !hasNewerThread) return known;
  const { waitingSince, hold, threadVersion } = hasNewerThread ? news : known;
  return {
    preview: hasNewerPreview ? news.preview : known.preview,
    lastActivityTime: hasNewerPreview ? news.lastActivityTime : known.lastActivityTime,
    inboundCount: hasMoreInbound ? news.inboundCount : known.inboundCount,
    mode: hasNewerMode ? news.mode : known.mode,
    modeEpoch: hasNewerMode ? news.modeEpoch : known.modeEpoch,
    waitingSince,
    hold,
    threadVersion,
  };
}

function withProjection(state: InboxState, id: string, news: Projection): InboxState {
  if (news.preview !== null && isErased(state, id, news.preview.seq)) return state;
  const known = state.projections.get(id) ?? EMPTY_PROJECTION;
  const joined = joinProjections(known, news);
  if (joined === known && state.projections.has(id)) return state;
  return { ...state, projections: withEntry(state.projections, id, joined) };
}

export function withThread(state: InboxState, thread: Thread, newest: Message | null): InboxState {
  const said = newest !== null && isSaid(newest) ? newest : null;
  const id = thread.conversationId;
  const projected = withProjection(state, id, {
    preview: said === null ? null : previewOf(said),
    lastActivityTime: said?.createTime ?? null,
    inboundCount: thread.inboundCount,
    mode: thread.mode,
    modeEpoch: thread.modeEpoch,
    waitingSince: thread.handover?.createTime ?? null,
    hold: thread.hold ?? null,
    threadVersion: thread.version,
  });
  const window = projected.threads.get(id);
  if (window === undefined) return projected;
  const kept = newer(window.thread ?? undefined, thread);
  if (kept === window.thread) return projected;
  return { ...projected, threads: withEntry(projected.threads, id, { ...window, thread: kept }) };
}

export function withContact(state: InboxState, contact: Contact): InboxState {
  return { ...state, contacts: withNewer(state.contacts, contact.id, contact) };
}

export function withConversation(state: InboxState, conversation: Conversation): InboxState {
  if (state.erasedConversations.has(conversation.id)) return state;
  const projected = withProjection(state, conversation.id, {
    preview: conversation.preview ?? null,
    lastActivityTime: conversation.lastActivityTime ?? null,
    inboundCount: conversation.inboundCount,
    mode: conversation.mode,
    modeEpoch: conversation.modeEpoch,
    waitingSince: conversation.waitingSince ?? null,
    hold: conversation.hold ?? null,
    threadVersion: conversation.threadVersion,
  });
  const known = conversation.contact ? withContact(projected, conversation.contact) : projected;
  return {
    ...known,
    conversations: withNewer(known.conversations, conversation.id, conversation),
  };
}

export function withTag(state: InboxState, tag: Tag): InboxState {
  return { ...state, tags: withNewer(state.tags, tag.id, tag) };
}

/** Which counter it is: of a folder, or in it of a channel or of a tag. */
export function counterKey(counter: Pick<Counter, "folder" | "channelId" | "tagId">): string {
  return `${counter.folder} ${counter.channelId} ${counter.tagId}`;
}

export function withCounters(state: InboxState, news: readonly Counter[]): InboxState {
  let counters = state.counters;
  for (const counter of news) counters = withNewer(counters, counterKey(counter), counter);
  return counters === state.counters ? state : { ...state, counters };
}

/** How far a member has seen a conversation only rises. */
export function withSeenBy(
  state: InboxState,
  conversationId: string,
  news: readonly SeenBy[],
): InboxState {
  let members = state.seenBy.get(conversationId) ?? new Map<string, SeenBy>();
  for (const seen of news) {
    const known = members.get(seen.memberId);
    if (known === undefined || seen.ordinal > known.ordinal) {
      members = withEntry(members, seen.memberId, seen);
    }
  }
  return { ...state, seenBy: withEntry(state.seenBy, conversationId, members) };
}

export function withInboxSettings(state: InboxState, settings: InboxSettings): InboxState {
  const kept = newer(state.inboxSettings ?? undefined, settings);
  return kept === state.inboxSettings ? state : { ...state, inboxSettings: kept };
}

/** Into the window of its thread, if that one is loaded or being loaded. */
export function withMessage(state: InboxState, message: Message): InboxState {
  return withMessages(state, message.conversationId, [message]);
}

export function withMessages(
  state: InboxState,
  conversationId: string,
  messages: readonly Message[],
): InboxState {
  const window = state.threads.get(conversationId);
  if (window === undefined) return state;
  const present = messages.filter(({ seq }) => !isErased(state, conversationId, seq));
  const bySeq = joinMessages(window.bySeq, present);
  return bySeq === window.bySeq ? state : withWindow(state, conversationId, { ...window, bySeq });
}

function withWindow(state: InboxState, id: string, window: ThreadWindow): InboxState {
  return { ...state, threads: withEntry(state.threads, id, window) };
}

function joinMessages(
  known: ReadonlyMap<bigint, Message>,
  news: readonly Message[],
): ReadonlyMap<bigint, Message> {
  let joined: Map<bigint, Message> | null = null;
  for (const message of news) {
    const before = (joined ?? known).get(message.seq);
    if (before !== undefined && before.version >= message.version) continue;
    joined ??= new Map(known);
    joined.set(message.seq, message);
  }
  return joined ?? known;
}

/** A page that touches what is shown, or is the newest. `isOldest` when nothing comes before its first message. */
export function withPage(
  state: InboxState,
  conversationId: string,
  page: readonly Message[],
  isOldest: boolean,
): InboxState {
  const messages = page.filter((message) => !isErased(state, conversationId, message.seq));
  const window = state.threads.get(conversationId) ?? EMPTY_WINDOW;
  let firstSeq = window.firstSeq;
  for (const message of messages) {
    if (firstSeq === null || message.seq < firstSeq) firstSeq = message.seq;
  }
  // An empty thread is loaded too: its first message will be number 1.
  if (firstSeq === null) firstSeq = 1n;
  return withWindow(state, conversationId, {
    ...window,
    bySeq: joinMessages(window.bySeq, messages),
    firstSeq,
    reachesStart: window.reachesStart || isOldest || firstSeq === 1n,
  });
}

/** The page after the last message that is shown. */
export function withNewerPage(
  state: InboxState,
  conversationId: string,
  messages: readonly Message[],
  isNewest: boolean,
): InboxState {
  const window = state.threads.get(conversationId) ?? EMPTY_WINDOW;
  let { lastSeq } = window;
  for (const message of messages)
    if (lastSeq === null || message.seq > lastSeq) lastSeq = message.seq;
  return withWindow(state, conversationId, {
    ...window,
    bySeq: joinMessages(window.bySeq, messages),
    lastSeq: isNewest ? null : lastSeq,
  });
}

/** Shows this page alone. What is known beyond it stays: frames may have brought it while the page was under way. */
export function withOnlyPage(
  state: InboxState,
  conversationId: string,
  messages: readonly Message[],
  { isOldest, isNewest }: { isOldest: boolean; isNewest: boolean },
): InboxState {
  const window = state.threads.get(conversationId) ?? EMPTY_WINDOW;
  const emptied = { ...window, firstSeq: null, lastSeq: null, reachesStart: false };
  const shown = withPage(
    withWindow(state, conversationId, emptied),
    conversationId,
    messages,
    isOldest,
  );
  return withNewerPage(shown, conversationId, messages, isNewest);
}
