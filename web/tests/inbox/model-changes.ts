/** What one change makes of a conversation or a message, in the model of the services. */

import { clone, create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type Conversation,
  ConversationSchema,
  Folder,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type Tag, TagSchema } from "../../src/gen/inbox/conversation/v1/tag_pb";
import {
  AuthorKind,
  DeliveryStatus,
  type Message,
  MessageDirection,
  MessageSchema,
} from "../../src/gen/inbox/messaging/v1/message_pb";
import type { Thread } from "../../src/gen/inbox/messaging/v1/thread_pb";
import { previewOf } from "../../src/inbox/merge";

/** When the AI resumes. */
export function later(time: Timestamp): Timestamp {
  return create(TimestampSchema, { seconds: time.seconds + 900n });
}

/** The newest message of a thread that counts it already. */
export function written(
  thread: Thread,
  text: string,
  direction: MessageDirection,
  clientMessageId: string,
  now: Timestamp,
): Message {
  const isInbound = direction === MessageDirection.INBOUND;
  const isNote = direction === MessageDirection.INTERNAL;
  return create(MessageSchema, {
    id: `${thread.conversationId}-${thread.lastSeq}`,
    conversationId: thread.conversationId,
    seq: thread.lastSeq,
    clientMessageId,
    direction,
    author: {
      kind: isNote ? AuthorKind.SYSTEM : isInbound ? AuthorKind.CUSTOMER : AuthorKind.MEMBER,
    },
    text,
    deliveryStatus:
      direction === MessageDirection.OUTBOUND ? DeliveryStatus.QUEUED : DeliveryStatus.UNSPECIFIED,
    inboundOrdinal: thread.inboundCount,
    createTime: now,
    version: 1n,
  });
}

/** What conversation makes of a new thread. */
export function opened(thread: Thread, createTime: Timestamp): Conversation {
  return create(ConversationSchema, {
    id: thread.conversationId,
    contact: {
      id: `contact-${thread.conversationId}`,
      displayName: thread.conversationId,
      version: 1n,
    },
    channelId: thread.channelId,
    folder: Folder.OPEN,
    mode: thread.mode,
    modeEpoch: thread.modeEpoch,
    createTime,
    version: 1n,
  });
}

/** What conversation makes of a thread's news, and whether that opens it again. */
export function projected(
  before: Conversation,
  thread: Thread,
  message: Message | null,
): { after: Conversation; reopens: boolean } {
  const after = clone(ConversationSchema, before);
  const isSaid = message !== null && message.direction !== MessageDirection.INTERNAL;
  if (isSaid && message.seq > (after.preview?.seq ?? 0n)) {
    after.preview = previewOf(message);
    after.lastActivityTime = message.createTime;
  }
  if (thread.modeEpoch > after.modeEpoch) {
    after.mode = thread.mode;
    after.modeEpoch = thread.modeEpoch;
  }
  const hasWritten = thread.inboundCount > after.inboundCount;
  if (hasWritten) after.inboundCount = thread.inboundCount;
  const reopens = hasWritten && after.folder === Folder.SOLVED;
  if (reopens) {
    after.folder = Folder.OPEN;
    after.version += 1n;
  }
  return { after, reopens };
}

/** A tag, new, with another name, or deleted where it has none. */
export function tagChanged(before: Tag | undefined, tagId: string, name: string | null): Tag {
  return create(TagSchema, {
    id: tagId,
    key: tagId,
    displayName: name ?? before?.displayName ?? "",
    isDeleted: name === null,
    version: (before?.version ?? 0n) + 1n,
  });
}
