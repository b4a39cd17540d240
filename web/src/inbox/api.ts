/** What the inbox asks the services for. `app/` answers it with Connect calls, tests with a small model. */

import type { Conversation, Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import type { Counter } from "../gen/inbox/conversation/v1/counter_pb";
import type { Tag } from "../gen/inbox/conversation/v1/tag_pb";
import type { Member, Workspace } from "../gen/inbox/identity/v1/identity_pb";
import type { Channel } from "../gen/inbox/messaging/v1/channel_pb";
import type { Message } from "../gen/inbox/messaging/v1/message_pb";
import type { ConversationMode, Thread } from "../gen/inbox/messaging/v1/thread_pb";
import type { ListQuery } from "./list-query";
import type { ListKey } from "./state";

export interface ConversationPage {
  /** Fewer than a page, or none, although more follow, where filters hardly meet. */
  conversations: readonly Conversation[];
  nextPageToken: string;
  /** How far down the list was looked; null after the last page. */
  frontier: ListKey | null;
}

export interface MessagePage {
  /** Newest first. */
  messages: readonly Message[];
  hasMore: boolean;
  thread: Thread | null;
}

export interface InboxApi {
  /**
   * At least what the live line told of up to `position`, or refused with TEMPORARILY_UNAVAILABLE; empty does not wait.
   * Refused with TAG_NOT_FOUND for a tag that is not there.
   */
  listConversations(
    query: ListQuery,
    pageToken: string,
    position: string,
  ): Promise<ConversationPage>;
  getConversation(conversationId: string): Promise<Conversation>;
  /** With neither bound: the newest. */
  listMessages(
    conversationId: string,
    bound: { beforeSeq?: bigint; afterSeq?: bigint },
    pageSize: number,
  ): Promise<MessagePage>;
  listChannels(): Promise<readonly Channel[]>;
  listMembers(): Promise<readonly Member[]>;
  listTags(): Promise<readonly Tag[]>;
  getCounters(): Promise<readonly Counter[]>;
  getWorkspace(): Promise<Workspace | null>;
  /** To Solved or Archived refused with VERSION_CONFLICT when the customer wrote since `seenInboundCount`. */
  move(conversationId: string, folder: Folder, seenInboundCount: bigint): Promise<Conversation>;
  tag(conversationId: string, tagId: string): Promise<Conversation>;
  untag(conversationId: string, tagId: string): Promise<Conversation>;
  /** To nobody when `memberId` is empty. */
  assign(conversationId: string, memberId: string): Promise<Conversation>;
  markRead(conversationId: string, readOrdinal: bigint): Promise<Conversation>;
  /** Unread from this inbound message on. Refused with VERSION_CONFLICT when it changed since `version`. */
  markUnread(conversationId: string, fromOrdinal: bigint, version: bigint): Promise<Conversation>;
  setMode(conversationId: string, mode: ConversationMode): Promise<Thread>;
  keepManual(conversationId: string, isKept: boolean): Promise<Thread>;
  retryMessage(messageId: string): Promise<Message>;
}
