/** Wires one signed-in member's session: live line, inbox, outbox. Started after GetSelf, ended by signing out. */

import { create } from "@bufbuild/protobuf";
import { fetchTicket, signOut } from "../connection/auth";
import { CloseCode } from "../connection/close-codes";
import { LineBroken, LiveConnection, SendRefused } from "../connection/live";
import { draftStorage, outboxStorage } from "../connection/local-storage";
import { Outbox, type OutboxEntry } from "../connection/outbox";
import { refusalOf } from "../connection/refusal";
import type { Services } from "../connection/rpc";
import type { SocketStatus } from "../connection/socket";
import type { LineListener, Observable, SessionHandle } from "../features/session";
import type { Member } from "../gen/inbox/identity/v1/identity_pb";
import type { GetSelfResponse } from "../gen/inbox/identity/v1/identity_service_pb";
import { SendMessageRequestSchema } from "../gen/inbox/messaging/v1/messaging_service_pb";
import { Role } from "../gen/inbox/policy/v1/policy_pb";
import type { ContactApi } from "../inbox/contact-file";
import { Drafts } from "../inbox/drafts";
import { Erasures } from "../inbox/erasures";
import { type Clock, Inbox } from "../inbox/inbox";
import { ConversationViews } from "../inbox/views";
import { contactApi, draftApi, erasureApi, inboxApi } from "./api";

/** A line that is not there after this long must not keep the inbox from showing. */
const LOAD_WITHOUT_LINE_AFTER_MILLIS = 3_000;

export const CLOCK: Clock = {
  now: Date.now,
  wait: (millis) => new Promise((done) => setTimeout(done, millis)),
};

class Observed<T> implements Observable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export class Session implements SessionHandle {
  readonly views = new ConversationViews();
  readonly status = new Observed<SocketStatus>({ phase: "idle" });
  readonly outboxEntries: Observed<readonly OutboxEntry[]>;
  readonly inbox: Inbox;
  readonly live: LiveConnection;
  readonly outbox: Outbox;
  readonly services: Services;
  readonly contactApi: ContactApi;
  readonly drafts: Drafts;
  readonly erasures: Erasures;
  readonly member: Member;
  readonly role: Role;
  #cleanUp: (() => void)[] = [];
  readonly #listeners = new Set<LineListener>();
  readonly #onSignedOut: () => void;

  constructor(services: Services, self: GetSelfResponse, onSignedOut: () => void) {
    if (self.member === undefined) throw new Error("this credential stands for no member");
    this.services = services;
    this.contactApi = contactApi(services);
    this.member = self.member;
    this.drafts = new Drafts(draftApi(services), draftStorage(self.member.id), CLOCK);
    this.erasures = new Erasures(erasureApi(services), CLOCK);
    this.role = self.subject?.role ?? self.member.role;
    this.#onSignedOut = onSignedOut;
    this.inbox = new Inbox(inboxApi(services), CLOCK, {
      outboundSeen: (clientMessageId) => this.outbox.confirm(clientMessageId),
      failed: (error) => {
        if (refusalOf(error).isSignedOut) this.#onSignedOut();
      },
    });
    this.live = new LiveConnection(socketAddress("/ws"), {
      ticket: fetchTicket,
      frame: (frame) => {
        this.inbox.receive(frame);
        for (const listener of [...this.#listeners]) listener.frame(frame);
      },
      snapshotNeeded: (position) => {
        void this.inbox.resync(position);
        for (const listener of [...this.#listeners]) listener.snapshotNeeded();
      },
      status: (status) => this.#statusChanged(status),
    });
    this.outbox = new Outbox(outboxStorage(self.member.id), {
      send: (entry) => this.#deliver(entry),
      refusalOf,
      changed: () => this.outboxEntries.set(this.outbox.entries),
    });
    this.outboxEntries = new Observed(this.outbox.entries);
  }

  get canWrite(): boolean {
    return this.role === Role.OWNER || this.role === Role.AGENT;
  }

  get isOwner(): boolean {
    return this.role === Role.OWNER;
  }

  listen(listener: LineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.live.start();
    this.outbox.tryNow();
    const impatient = setTimeout(() => {
      if (!this.inbox.store.snapshot.isLoaded && this.live.status.phase !== "live") {
        void this.inbox.resync();
      }
    }, LOAD_WITHOUT_LINE_AFTER_MILLIS);
    this.#cleanUp.push(() => clearTimeout(impatient));
    this.#listen(window, "online", () => this.live.connectNow());
    this.#listen(window, "offline", () => this.live.distrust());
    this.#listen(document, "visibilitychange", () => {
      if (document.visibilityState === "visible") this.live.connectNow();
    });
  }

  stop(): void {
    for (const cleanUp of this.#cleanUp) cleanUp();
    this.#cleanUp = [];
    this.live.stop();
    this.outbox.stop();
    this.erasures.close();
  }

  send(conversationId: string, text: string): void {
    this.outbox.add(conversationId, crypto.randomUUID(), text);
  }

  async signOut(): Promise<void> {
    await signOut();
    this.#onSignedOut();
  }

  /** Over the live line; by a call of its own when there is none. */
  async #deliver(entry: OutboxEntry): Promise<void> {
    const request = create(SendMessageRequestSchema, {
      conversationId: entry.conversationId,
      clientMessageId: entry.clientMessageId,
      text: entry.text,
    });
    const response = await this.live.sendMessage(request).catch((error: unknown) => {
      if (error instanceof SendRefused) throw error;
      if (error instanceof LineBroken) return this.services.messaging.sendMessage(request);
      throw error;
    });
    if (response.message !== undefined) this.inbox.accept(response.message);
  }

  #statusChanged(status: SocketStatus): void {
    const wasLive = this.status.value.phase === "live";
    this.status.set(status);
    if (status.phase === "signed-out") this.#onSignedOut();
    else if (status.phase === "stopped" && status.code === CloseCode.FORBIDDEN)
      this.#askWhetherIn();
    else if (status.phase === "live" && !wasLive) this.outbox.tryNow();
  }

  /** A session that was ended elsewhere closes the line; then the sign-in page is the place to be. */
  #askWhetherIn(): void {
    this.services.identity.getSelf({}).catch((error: unknown) => {
      if (refusalOf(error).isSignedOut) this.#onSignedOut();
    });
  }

  #listen(target: EventTarget, event: string, act: () => void): void {
    target.addEventListener(event, act);
    this.#cleanUp.push(() => target.removeEventListener(event, act));
  }
}

function socketAddress(path: string): string {
  return new URL(path, window.location.href.replace(/^http/, "ws")).href;
}
