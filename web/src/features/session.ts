/** The signed-in member's session, as features see it: what to show, and what can be done. */

import { createContext, use, useSyncExternalStore } from "react";
import type { LiveConnection } from "../connection/live";
import type { Outbox, OutboxEntry } from "../connection/outbox";
import type { Services } from "../connection/rpc";
import type { SocketStatus } from "../connection/socket";
import type { Member } from "../gen/inbox/identity/v1/identity_pb";
import type { Role } from "../gen/inbox/policy/v1/policy_pb";
import type { ServerFrame } from "../gen/inbox/realtime/v1/frame_pb";
import type { ContactApi } from "../inbox/contact-file";
import type { Drafts } from "../inbox/drafts";
import type { Erasures } from "../inbox/erasures";
import type { Inbox } from "../inbox/inbox";
import type { InboxSnapshot } from "../inbox/store";
import type { ConversationView, ConversationViews } from "../inbox/views";

export interface Observable<T> {
  readonly value: T;
  subscribe(listener: () => void): () => void;
}

/** A screen that holds more than the inbox does, and keeps it current. */
export interface LineListener {
  /** A frame that follows the one before. */
  frame(frame: ServerFrame): void;
  /** What is held may have holes: load it again. */
  snapshotNeeded(): void;
}

export interface SessionHandle {
  readonly inbox: Inbox;
  readonly views: ConversationViews;
  readonly outbox: Outbox;
  readonly outboxEntries: Observable<readonly OutboxEntry[]>;
  readonly live: LiveConnection;
  readonly status: Observable<SocketStatus>;
  readonly services: Services;
  readonly contactApi: ContactApi;
  readonly drafts: Drafts;
  readonly erasures: Erasures;
  readonly member: Member;
  readonly role: Role;
  /** May write to customers. */
  readonly canWrite: boolean;
  /** May change members, channels and keys. */
  readonly isOwner: boolean;
  /** Returns the way to stop listening. */
  listen(listener: LineListener): () => void;
  send(conversationId: string, text: string): void;
  signOut(): Promise<void>;
}

export const SessionContext = createContext<SessionHandle | null>(null);

export function useSession(): SessionHandle {
  const session = use(SessionContext);
  if (session === null) throw new Error("this screen needs a signed-in member");
  return session;
}

/** `select` must give the same object for the same snapshot. */
export function useInbox<T>(select: (snapshot: InboxSnapshot, views: ConversationViews) => T): T {
  const { inbox, views } = useSession();
  return useSyncExternalStore(
    (listener) => inbox.store.subscribe(listener),
    () => select(inbox.store.snapshot, views),
  );
}

export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(
    (listener) => observable.subscribe(listener),
    () => observable.value,
  );
}

export function useConversation(id: string): ConversationView | null {
  return useInbox((snapshot, views) => views.one(snapshot.state, snapshot.pending, id));
}

export function useTimeZone(): string | undefined {
  return useInbox((snapshot) => snapshot.state.workspace?.timeZone || undefined);
}
