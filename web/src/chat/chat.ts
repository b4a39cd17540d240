/** The customer's side without pixels: session, line, history, outbox, receipts. */

import { CloseCode } from "../connection/close-codes";
import { outboxStorage, readItem, removeItem, writeItem } from "../connection/local-storage";
import { Outbox, type OutboxEntry } from "../connection/outbox";
import { ReconnectingSocket, type SocketStatus } from "../connection/socket";
import type {
  OpenSessionResponseJson,
  VisitorMessageJson,
} from "../gen/inbox/messaging/v1/web_chat_service_pb";
import type {
  VisitorClientFrameJson,
  VisitorServerFrameJson,
} from "../gen/inbox/realtime/v1/visitor_frame_pb";
import {
  type ChatMessage,
  type History,
  holeAfter,
  join,
  joinPage,
  messageOf,
  NO_HISTORY,
} from "./history";
import { asRefusal, CallFailed, webChat } from "./web-chat-api";

const PAGE_SIZE = 50;
const ACK_WITHIN_MILLIS = 12_000;
const TOKEN_RENEWED_BEFORE_MILLIS = 90_000;
const TYPING_TOLD_EVERY_MILLIS = 3_000;
const TYPING_FADES_AFTER_MILLIS = 8_000;

export type Availability = "opening" | "open" | "not-found" | "not-allowed";

export interface ChatSnapshot {
  readonly availability: Availability;
  readonly session: OpenSessionResponseJson | null;
  readonly isHistoryLoaded: boolean;
  readonly history: History;
  readonly waiting: readonly OutboxEntry[];
  readonly status: SocketStatus;
  readonly isAgentTyping: boolean;
  /** Messages of the business up to this one were seen. */
  readonly readUpTo: number;
}

interface Waiter {
  settle(error: CallFailed | null): void;
}

export class Chat {
  #snapshot: ChatSnapshot;
  #token = "";
  #tokenEndsAt = 0;
  #untestedToken = "";
  #opening: Promise<string> | null = null;
  #nextRef = 1;
  #deliveredTold = 0;
  #isAcknowledging = false;
  #typingToldAt = 0;
  #isLoadingOlder = false;
  #catchingUp: Promise<void> | null = null;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #renewTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #waiters = new Map<string, Waiter>();
  readonly #channelId: string;
  readonly #embeddingOrigin: string;
  readonly #changed: (snapshot: ChatSnapshot) => void;
  readonly #socket: ReconnectingSocket;
  readonly #outbox: Outbox;

  constructor(
    channelId: string,
    embeddingOrigin: string,
    changed: (snapshot: ChatSnapshot) => void,
  ) {
    this.#channelId = channelId;
    this.#embeddingOrigin = embeddingOrigin;
    this.#changed = changed;
    this.#outbox = new Outbox(outboxStorage(`chat.${channelId}`), {
      send: (entry) => this.#deliver(entry),
      refusalOf: asRefusal,
      changed: () => this.#set({ waiting: this.#outbox.entries }),
    });
    this.#snapshot = {
      availability: "opening",
      session: null,
      isHistoryLoaded: false,
      history: NO_HISTORY,
      waiting: this.#outbox.entries,
      status: { phase: "idle" },
      isAgentTyping: false,
      readUpTo: Number(readItem(this.#seenKey) ?? 0) || 0,
    };
    const address = new URL("/ws/chat", window.location.href.replace(/^http/, "ws")).href;
    this.#socket = new ReconnectingSocket(address, "inbox.v1.json", {
      credential: () => this.#tokenForLine(),
      hello: (accessToken) =>
        JSON.stringify({ hello: { accessToken } } satisfies VisitorClientFrameJson),
      message: (data) => this.#receive(data),
      status: (status) => this.#set({ status }),
      ended: () => this.#breakWaiters(),
    });
  }

  get #seenKey(): string {
    return `inbox.seen.${this.#channelId}`;
  }

  get snapshot(): ChatSnapshot {
    return this.#snapshot;
  }

  start(): void {
    this.#socket.start();
    window.addEventListener("online", () => this.#socket.connectNow());
    window.addEventListener("offline", () => this.#socket.reconnect(CloseCode.SILENT));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#socket.connectNow();
    });
  }

  connectNow(): void {
    this.#socket.connectNow();
  }

  send(text: string): void {
    this.#typingToldAt = 0;
    this.#outbox.add(this.#channelId, crypto.randomUUID(), text);
  }

  sendAgain(clientMessageId: string): void {
    this.#outbox.sendAgain(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#outbox.discard(clientMessageId);
  }

  typing(): void {
    const now = Date.now();
    if (now - this.#typingToldAt < TYPING_TOLD_EVERY_MILLIS) return;
    this.#typingToldAt = now;
    this.#send({ typing: {} });
  }

  /** Everything up to this seq was on screen in a page that was visible. */
  saw(seq: number): void {
    if (seq <= this.#snapshot.readUpTo) return;
    writeItem(this.#seenKey, String(seq));
    this.#set({ readUpTo: seq });
    void this.#acknowledge();
  }

  async loadOlder(): Promise<void> {
    const first = this.#snapshot.history.messages[0];
    if (this.#isLoadingOlder || !this.#snapshot.history.hasOlder || first === undefined) return;
    this.#isLoadingOlder = true;
    try {
      const page = await webChat.listMessages(
        { beforeSeq: String(first.seq), pageSize: PAGE_SIZE },
        await this.#freshToken(),
      );
      const joined = join(this.#snapshot.history, (page.messages ?? []).map(messageOf));
      this.#set({ history: { ...joined, hasOlder: page.hasMore === true } });
    } catch {
      // The next scroll asks again.
    } finally {
      this.#isLoadingOlder = false;
    }
  }

  async #freshToken(): Promise<string> {
    if (this.#token !== "" && Date.now() < this.#tokenEndsAt - TOKEN_RENEWED_BEFORE_MILLIS)
      return this.#token;
    this.#opening ??= this.#openSession().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openSession(): Promise<string> {
    const key = `inbox.visitor.${this.#channelId}`;
    try {
      const session = await webChat.openSession({
        channelId: this.#channelId,
        visitorSecret: readItem(key) ?? this.#snapshot.session?.visitorSecret ?? "",
        embeddingOrigin: this.#embeddingOrigin,
      });
      writeItem(key, session.visitorSecret ?? "");
      this.#token = session.accessToken ?? "";
      this.#tokenEndsAt = Date.parse(session.expireTime ?? "") || Date.now() + 600_000;
      clearTimeout(this.#renewTimer);
      const renewIn = this.#tokenEndsAt - Date.now() - TOKEN_RENEWED_BEFORE_MILLIS + 1_000;
      this.#renewTimer = setTimeout(() => void this.#renew(), Math.max(5_000, renewIn));
      this.#set({ session, availability: "open" });
      return this.#token;
    } catch (error) {
      const reason = error instanceof CallFailed ? error.reason : "";
      if (reason === "CHANNEL_NOT_FOUND" || reason === "INVALID_ARGUMENT")
        this.#giveUp("not-found");
      else if (reason === "CHANNEL_NOT_CONNECTED") this.#giveUp("not-found");
      else if (reason === "ORIGIN_NOT_ALLOWED") this.#giveUp("not-allowed");
      // A secret that is not known any more: begin as somebody new at the next try.
      else if (reason === "CREDENTIAL_INVALID") removeItem(key);
      throw error;
    }
  }

  #giveUp(availability: Availability): void {
    this.#set({ availability });
    this.#socket.stop();
  }

  async #renew(): Promise<void> {
    try {
      const accessToken = await this.#freshToken();
      this.#send({ hello: { accessToken } });
    } catch {
      // The line ends when the token does, and its next connection opens the session again.
    }
  }

  /** A token that did not open the line is not tried for ever. */
  #tokenForLine(): Promise<string> {
    if (this.#untestedToken !== "" && this.#untestedToken === this.#token) this.#token = "";
    return this.#freshToken().then((token) => {
      this.#untestedToken = token;
      return token;
    });
  }

  #receive(data: unknown): void {
    if (typeof data !== "string") return;
    const frame = JSON.parse(data) as VisitorServerFrameJson;
    if (frame.hello !== undefined) {
      this.#socket.greeted();
      this.#untestedToken = "";
      void this.#catchUp();
      this.#outbox.tryNow();
    } else if (frame.message !== undefined) this.#take([frame.message]);
    else if (frame.typing !== undefined) this.#agentTyping(frame.typing.isOver !== true);
    else if (frame.reconnect !== undefined) {
      this.#socket.reconnectAfter(Number(frame.reconnect.delayMillis ?? 0));
    } else if (frame.ack !== undefined) {
      const { ref = "", error, message } = frame.ack;
      if (message !== undefined) this.#take([message]);
      const reason = (error?.reason ?? "").replace("REASON_", "") as CallFailed["reason"];
      const isTransient = ["TEMPORARILY_UNAVAILABLE", "RATE_LIMITED", "INTERNAL", ""].includes(
        reason,
      );
      this.#waiters
        .get(ref)
        ?.settle(error ? new CallFailed(reason, isTransient, error.message ?? "") : null);
    }
  }

  /** What came while the line was away: everything after the last one we have. */
  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#listNewer()
      .catch(() => {
        // A line that is live and a list that fails: do not pretend to be complete.
        this.#socket.reconnect(CloseCode.CHAIN_BROKEN);
      })
      .finally(() => {
        this.#catchingUp = null;
      });
    return this.#catchingUp;
  }

  async #listNewer(): Promise<void> {
    const isFirst = !this.#snapshot.isHistoryLoaded;
    for (let hasMore = true; hasMore; ) {
      const after = isFirst ? 0 : this.#snapshot.history.wholeUpTo;
      const page = await webChat.listMessages(
        after > 0 ? { afterSeq: String(after), pageSize: 200 } : { pageSize: PAGE_SIZE },
        await this.#freshToken(),
      );
      if (after === 0) {
        const { history } = this.#snapshot;
        this.#set({
          isHistoryLoaded: true,
          history: { ...history, hasOlder: page.hasMore === true },
        });
      }
      this.#take(page.messages ?? [], joinPage);
      hasMore = after > 0 && page.hasMore === true;
    }
  }

  #take(messages: readonly VisitorMessageJson[], joining = join): void {
    const news = messages.map(messageOf);
    for (const message of news) if (message.isOwn) this.#outbox.confirm(message.clientMessageId);
    const isFromBusiness = news.some((message) => !message.isOwn);
    this.#set({
      history: joining(this.#snapshot.history, news),
      ...(isFromBusiness ? { isAgentTyping: false } : {}),
    });
    if (!this.#snapshot.isHistoryLoaded) return;
    if (holeAfter(this.#snapshot.history) !== null) void this.#catchUp();
    void this.#acknowledge();
  }

  #agentTyping(isTyping: boolean): void {
    clearTimeout(this.#typingTimer);
    this.#set({ isAgentTyping: isTyping });
    if (isTyping) {
      this.#typingTimer = setTimeout(
        () => this.#set({ isAgentTyping: false }),
        TYPING_FADES_AFTER_MILLIS,
      );
    }
  }

  /** Says what we have and what was seen; one at a time, the newest state each time. */
  async #acknowledge(): Promise<void> {
    if (this.#isAcknowledging) return;
    this.#isAcknowledging = true;
    try {
      for (let told = -1; ; ) {
        const { history, readUpTo } = this.#snapshot;
        const fromBusiness = history.messages.filter((message) => !message.isOwn);
        const delivered = Math.min(history.wholeUpTo, fromBusiness.at(-1)?.seq ?? 0);
        const state = delivered * 1e6 + readUpTo;
        if (state === told || state === this.#deliveredTold || delivered === 0) return;
        told = state;
        await this.#command({
          acknowledgeMessages: {
            deliveredUpToSeq: String(delivered),
            readUpToSeq: String(readUpTo),
          },
        });
        this.#deliveredTold = state;
      }
    } catch {
      // Said again with the next message, or when the line is back.
    } finally {
      this.#isAcknowledging = false;
    }
  }

  async #deliver(entry: OutboxEntry): Promise<void> {
    const postMessage = { clientMessageId: entry.clientMessageId, text: entry.text };
    if (this.#socket.isLive) return this.#command({ postMessage });
    const { message } = await webChat.postMessage(postMessage, await this.#freshToken());
    if (message !== undefined) this.#take([message]);
    return undefined;
  }

  #command(body: VisitorClientFrameJson): Promise<void> {
    const ref = String(this.#nextRef++);
    return new Promise((resolve, reject) => {
      if (!this.#send({ ...body, ref })) {
        reject(new CallFailed("", true, "not connected"));
        return;
      }
      const settle = (error: CallFailed | null) => {
        clearTimeout(timer);
        this.#waiters.delete(ref);
        if (error === null) resolve();
        else reject(error);
      };
      const timer = setTimeout(
        () => settle(new CallFailed("", true, "no answer in time")),
        ACK_WITHIN_MILLIS,
      );
      this.#waiters.set(ref, { settle });
    });
  }

  #send(frame: VisitorClientFrameJson): boolean {
    return this.#socket.send(JSON.stringify(frame));
  }

  #breakWaiters(): void {
    for (const waiter of [...this.#waiters.values()])
      waiter.settle(new CallFailed("", true, "the line broke"));
  }

  #set(part: Partial<ChatSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    this.#changed(this.#snapshot);
  }
}

/** Messages of the business that were not seen yet. */
export function unseenCount(snapshot: ChatSnapshot): number {
  return snapshot.history.messages.filter(
    (message: ChatMessage) => !message.isOwn && message.seq > snapshot.readUpTo,
  ).length;
}
