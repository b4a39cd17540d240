/** What the inbox asks the services for. `app/` answers it with Connect calls, tests with a small model. */

import type { Conversation, Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import type { Member, Workspace } from "../gen/inbox/identity/v1/identity_pb";
import type { Channel } from "../gen/inbox/messaging/v1/channel_pb";
import type { Message } from "../gen/inbox/messaging/v1/message_pb";
import type { ConversationMode, Thread } from "../gen/inbox/messaging/v1/thread_pb";

export interface ConversationPage {
  conversations: readonly Conversation[];
  nextPageToken: string;
}

export interface MessagePage {
  /** Newest first. */
  messages: readonly Message[];
  hasMore: boolean;
  thread: Thread | null;
}

export interface InboxApi {
  /** At least what the live line told of up to `position`, or refused with TEMPORARILY_UNAVAILABLE; empty does not wait. */
  listConversations(folder: Folder, pageToken: string, position: string): Promise<ConversationPage>;
  getConversation(conversationId: string): Promise<Conversation>;
  /** With neither bound: the newest. */
  listMessages(
    conversationId: string,
    bound: { beforeSeq?: bigint; afterSeq?: bigint },
    pageSize: number,
  ): Promise<MessagePage>;
  listChannels(): Promise<readonly Channel[]>;
  listMembers(): Promise<readonly Member[]>;
  getWorkspace(): Promise<Workspace | null>;
  /** Refused with VERSION_CONFLICT when the customer wrote since `seenInboundCount`. */
  solve(conversationId: string, seenInboundCount: bigint): Promise<Conversation>;
  reopen(conversationId: string): Promise<Conversation>;
  markRead(conversationId: string, readOrdinal: bigint): Promise<Conversation>;
  setMode(conversationId: string, mode: ConversationMode): Promise<Thread>;
  keepManual(conversationId: string, isKept: boolean): Promise<Thread>;
  retryMessage(messageId: string): Promise<Message>;
}
