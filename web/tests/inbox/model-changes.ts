/** What one change makes of a conversation or a message, in the model of the services. */

import { clone, create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type Conversation,
  ConversationSchema,
  Folder,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type Tag, TagSchema } from "../../src/gen/inbox/conversation/v1/tag_pb";
import { AttachmentKind } from "../../src/gen/inbox/messaging/v1/attachment_pb";
import {
  AuthorKind,
  DeliveryStatus,
  type Message,
  MessageDirection,
  MessageSchema,
} from "../../src/gen/inbox/messaging/v1/message_pb";
import {
  ConversationMode,
  HandoverSchema,
  HoldSchema,
  type Thread,
  ThreadSchema,
} from "../../src/gen/inbox/messaging/v1/thread_pb";
import { previewOf } from "../../src/inbox/merge";

/** Who does what people do here. */
const MEMBER = "bea";

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
    // Some carry a file.
    attachments:
      direction === MessageDirection.OUTBOUND && thread.lastSeq % 3n === 0n
        ? [{ mediaId: `${thread.lastSeq}`, kind: AttachmentKind.IMAGE, fileName: "photo.png" }]
        : [],
    deliveryStatus:
      direction === MessageDirection.OUTBOUND ? DeliveryStatus.QUEUED : DeliveryStatus.UNSPECIFIED,
    inboundOrdinal: thread.inboundCount,
    createTime: now,
    version: 1n,
  });
}

/** The thread of a customer who writes for the first time. */
export function begun(conversationId: string): Thread {
  const mode = ConversationMode.MANUAL;
  return create(ThreadSchema, {
    conversationId,
    channelId: "channel",
    mode,
    modeEpoch: 1n,
    version: 1n,
  });
}

/** A thread that goes to the AI, or that a member has from now on. */
export function switched(before: Thread, mode: ConversationMode, now: Timestamp): Thread {
  const after = clone(ThreadSchema, before);
  const isManual = mode === ConversationMode.MANUAL;
  after.mode = mode;
  after.modeEpoch += 1n;
  after.version += 1n;
  after.manualUntil = isManual ? later(now) : undefined;
  after.handover = undefined;
  after.hold = isManual ? create(HoldSchema, { memberId: MEMBER, since: now }) : undefined;
  return after;
}

/** A thread that the AI gave to people: it waits, and nobody has it. */
export function handedOver(before: Thread, now: Timestamp): Thread {
  const after = switched(before, ConversationMode.MANUAL, now);
  after.handover = create(HandoverSchema, { createTime: now });
  after.hold = undefined;
  return after;
}

/** A thread with or without the pin. */
export function kept(before: Thread, isKept: boolean, now: Timestamp): Thread {
  const after = clone(ThreadSchema, before);
  after.isManualKept = isKept;
  after.manualUntil = isKept ? undefined : later(now);
  after.version += 1n;
  return after;
}

/** A member writes in it: it waits no longer, and they have it. */
export function answer(thread: Thread, now: Timestamp): void {
  if (thread.manualUntil !== undefined) thread.manualUntil = later(now);
  thread.handover = undefined;
  thread.hold ??= create(HoldSchema, { memberId: MEMBER, since: now });
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
    threadVersion: thread.version,
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
  if (thread.version > after.threadVersion) {
    after.waitingSince = thread.handover?.createTime;
    after.hold = thread.hold;
    after.threadVersion = thread.version;
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
