/**
 * What the client knows. Every entity has one owner and a version; what others project of it travels with the owner's
 * version. So the parts are kept apart here and put together only for showing (`views.ts`).
 */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ContactNote, ContactProfile } from "../gen/inbox/conversation/v1/contact_pb";
import type {
  Contact,
  Conversation,
  Preview,
  SeenBy,
} from "../gen/inbox/conversation/v1/conversation_pb";
import type { Counter } from "../gen/inbox/conversation/v1/counter_pb";
import type { InboxSettings } from "../gen/inbox/conversation/v1/settings_pb";
import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";
import type { Member, Workspace } from "../gen/inbox/identity/v1/identity_pb";
import type { Channel } from "../gen/inbox/messaging/v1/channel_pb";
import type { Message } from "../gen/inbox/messaging/v1/message_pb";
import { ConversationMode, type Hold, type Thread } from "../gen/inbox/messaging/v1/thread_pb";
import type { Presence } from "../gen/inbox/realtime/v1/frame_pb";

/** What messaging knows about a conversation, by whichever stream it came. */
export interface Projection {
  /** Its version is `preview.seq`. */
  readonly preview: Preview | null;
  /** Of the preview's message. */
  readonly lastActivityTime: Timestamp | null;
  /** Only grows. */
  readonly inboundCount: bigint;
  readonly mode: ConversationMode;
  /** The version of `mode`; -1 while nothing is known. */
  readonly modeEpoch: bigint;
  /** Since when it waits for a person; null where it does not. */
  readonly waitingSince: Timestamp | null;
  /** Which person has it. */
  readonly hold: Hold | null;
  /** The version of `waitingSince` and `hold`; -1 while nothing is known. */
  readonly threadVersion: bigint;
}

/**
 * The stretch of a thread that is loaded and shown. An answer or a frame may bring a message beyond a hole, which is then
 * filled; what lies outside the stretch is kept, but not shown.
 */
export interface ThreadWindow {
  readonly bySeq: ReadonlyMap<bigint, Message>;
  /** The oldest message loaded by a page; null while the first page is under way. */
  readonly firstSeq: bigint | null;
  /** Where it ends while newer messages are not loaded; null when it goes on to the newest. */
  readonly lastSeq: bigint | null;
  /** The page before `firstSeq` is empty. */
  readonly reachesStart: boolean;
  /** The thread itself: until when people have it, and what it waits for. */
  readonly thread: Thread | null;
}

/** The place of a conversation in the list: newest activity first, then id. */
export interface ListKey {
  readonly time: Timestamp;
  readonly id: string;
}

/** How much of one list is loaded. */
export interface ListPages {
  readonly nextPageToken: string;
  /** How far down it is known; null once all of it is. */
  readonly frontier: ListKey | null;
}

export interface InboxState {
  readonly conversations: ReadonlyMap<string, Conversation>;
  /** One that was merged stays and says into which: see `contactOf`. */
  readonly contacts: ReadonlyMap<string, Contact>;
  /** By contact: those that were asked for or told of. */
  readonly profiles: ReadonlyMap<string, ContactProfile>;
  /** By id. A deleted one stays, marked so. */
  readonly notes: ReadonlyMap<string, ContactNote>;
  readonly projections: ReadonlyMap<string, Projection>;
  readonly threads: ReadonlyMap<string, ThreadWindow>;
  /** By `keyOf` the query. */
  readonly lists: ReadonlyMap<string, ListPages>;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly members: ReadonlyMap<string, Member>;
  readonly workspace: Workspace | null;
  /** By id. A deleted one stays, marked so, because a page may still bring it: show nothing for it. */
  readonly tags: ReadonlyMap<string, Tag>;
  /** By `counterKey`; one that is not here is zero. One of a deleted tag means nothing. */
  readonly counters: ReadonlyMap<string, Counter>;
  /** Who has seen a conversation, by its id and then by member. */
  readonly seenBy: ReadonlyMap<string, ReadonlyMap<string, SeenBy>>;
  readonly inboxSettings: InboxSettings | null;
  /** Up to which seq a conversation's messages were erased. */
  readonly erasedSeqs: ReadonlyMap<string, bigint>;
  /** Conversations that were erased and not opened anew since: a page that was under way may still bring one. */
  readonly erasedConversations: ReadonlySet<string>;
  /** Colleagues who are there, by member id. */
  readonly presence: ReadonlyMap<string, Presence>;
  /** Until when a customer counts as typing, in milliseconds, by conversation. */
  readonly customerTypingUntil: ReadonlyMap<string, number>;
  /** Until when the AI counts as writing, in milliseconds, by conversation. */
  readonly aiWritingUntil: ReadonlyMap<string, number>;
  /** The row of the handover that was heard last: news to tell, nothing that is kept. */
  readonly newestHandover: Message | null;
}

export const EMPTY_STATE: InboxState = {
  conversations: new Map(),
  contacts: new Map(),
  profiles: new Map(),
  notes: new Map(),
  projections: new Map(),
  threads: new Map(),
  lists: new Map(),
  channels: new Map(),
  members: new Map(),
  workspace: null,
  tags: new Map(),
  counters: new Map(),
  seenBy: new Map(),
  inboxSettings: null,
  erasedSeqs: new Map(),
  erasedConversations: new Set(),
  presence: new Map(),
  customerTypingUntil: new Map(),
  aiWritingUntil: new Map(),
  newestHandover: null,
};

export const EMPTY_PROJECTION: Projection = {
  preview: null,
  lastActivityTime: null,
  inboundCount: 0n,
  mode: ConversationMode.UNSPECIFIED,
  modeEpoch: -1n,
  waitingSince: null,
  hold: null,
  threadVersion: -1n,
};

export const EMPTY_WINDOW: ThreadWindow = {
  bySeq: new Map(),
  firstSeq: null,
  lastSeq: null,
  reachesStart: false,
  thread: null,
};
