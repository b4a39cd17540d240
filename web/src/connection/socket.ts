/**
 * One WebSocket that comes back: credential, hello, back-off, close codes, silence.
 * It knows no frame; whoever uses it says when the other side has greeted (`greeted()`).
 */

import { Backoff } from "./backoff";
import { afterClose, CloseCode } from "./close-codes";
import { browser, type Environment, type SocketLike } from "./environment";

/** Time for ticket, handshake and greeting together. */
const GREETING_WITHIN_MILLIS = 15_000;
/** An idle frame comes every 60 s; without anything for this long the line is dead. */
export const SILENT_AFTER_MILLIS = 90_000;

export type SocketStatus =
  | { phase: "idle" }
  | { phase: "connecting"; since: number }
  | { phase: "live"; since: number }
  | { phase: "waiting"; since: number }
  | { phase: "stopped"; since: number; code: number }
  | { phase: "signed-out"; since: number };

/** The credential is refused for good: only signing in helps. */
export class CredentialRefused extends Error {}

export interface SocketHandlers {
  /** Gets what opens the socket; throws CredentialRefused when only signing in helps. */
  credential(): Promise<string>;
  /** The first frame. */
  hello(credential: string): string | Uint8Array<ArrayBuffer>;
  message(data: unknown): void;
  status(status: SocketStatus): void;
  /** The socket ended, whatever the cause; what was under way is undecided. */
  ended(): void;
}

export class ReconnectingSocket {
  #status: SocketStatus = { phase: "idle" };
  #socket: SocketLike | null = null;
  #generation = 0;
  #disconnectedSince = 0;
  #credentialTries = 0;
  #cancelTimer: () => void = () => {};
  #cancelSilence: () => void = () => {};
  readonly #backoff: Backoff;
  readonly #address: string;
  readonly #protocol: string;
  readonly #handlers: SocketHandlers;
  readonly #environment: Environment;

  constructor(
    address: string,
    protocol: string,
    handlers: SocketHandlers,
    environment: Environment = browser,
  ) {
    this.#address = address;
    this.#protocol = protocol;
    this.#handlers = handlers;
    this.#environment = environment;
    this.#backoff = new Backoff(() => environment.random());
  }

  get status(): SocketStatus {
    return this.#status;
  }

  get isLive(): boolean {
    return this.#status.phase === "live";
  }

  start(): void {
    if (this.#status.phase !== "idle") return;
    this.#disconnectedSince = this.#environment.now();
    void this.#connect();
  }

  stop(): void {
    this.#abandon(CloseCode.LEAVING);
    this.#set({ phase: "idle" });
  }

  /** Try at once: the network came back, the page was shown again, or a person asked. */
  connectNow(): void {
    if (this.#status.phase === "live" || this.#status.phase === "idle") return;
    this.#backoff.reset();
    this.#credentialTries = 0;
    this.#abandon(CloseCode.LEAVING);
    void this.#connect();
  }

  /** The line cannot be trusted: end it and come back. */
  reconnect(code: number): void {
    if (this.#socket === null) return;
    this.#abandon(code);
    this.#comeBack(this.#backoff.next());
  }

  /** The server goes away in a moment: leave by ourselves after `delayMillis` and come back. */
  reconnectAfter(delayMillis: number): void {
    const generation = this.#generation;
    this.#environment.after(delayMillis, () => {
      if (generation !== this.#generation || this.#socket === null) return;
      this.#abandon(CloseCode.RESTART);
      this.#comeBack(0);
    });
  }

  /** The other side has greeted: from now on the socket counts as live. */
  greeted(): void {
    this.#cancelTimer();
    this.#credentialTries = 0;
    this.#set({ phase: "live", since: this.#environment.now() });
  }

  /** False when there is no live socket; nothing was sent then. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket === null || !this.isLive) return false;
    this.#socket.send(data);
    return true;
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#set({ phase: "connecting", since: this.#disconnectedSince });
    this.#cancelTimer = this.#environment.after(GREETING_WITHIN_MILLIS, () => {
      if (generation === this.#generation) this.#lost(CloseCode.SILENT);
    });
    let credential: string;
    try {
      credential = await this.#handlers.credential();
    } catch (error) {
      if (generation !== this.#generation) return;
      if (error instanceof CredentialRefused) this.#signedOut();
      else this.#lost(CloseCode.SILENT);
      return;
    }
    if (generation !== this.#generation) return;
    this.#open(generation, credential);
  }

  #open(generation: number, credential: string): void {
    const socket = this.#environment.openSocket(this.#address, this.#protocol);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const isCurrent = () => generation === this.#generation;
    socket.onopen = () => {
      if (isCurrent()) socket.send(this.#handlers.hello(credential));
    };
    socket.onmessage = (event) => {
      if (!isCurrent()) return;
      this.#listen(generation);
      this.#handlers.message(event.data);
    };
    socket.onclose = (event) => {
      if (isCurrent()) this.#lost(event.code);
    };
    socket.onerror = () => {};
  }

  #listen(generation: number): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#environment.after(SILENT_AFTER_MILLIS, () => {
      if (generation === this.#generation) this.reconnect(CloseCode.SILENT);
    });
  }

  #lost(code: number): void {
    const wasLive = this.#status.phase === "live";
    this.#abandon(code);
    switch (afterClose(code)) {
      case "stop":
        this.#set({ phase: "stopped", since: this.#disconnectedSince, code });
        return;
      case "refresh":
        // Each connection brings a fresh credential. One that is refused again and again is not stale.
        this.#credentialTries += 1;
        if (this.#credentialTries > 3) this.#signedOut();
        else this.#comeBack(this.#credentialTries === 1 ? 0 : this.#backoff.next());
        return;
      case "resume":
        // A server that restarts says so; its replacement is there, only the crowd has to be spread.
        if (wasLive && (code === CloseCode.RESTART || code === CloseCode.TOO_SLOW)) {
          this.#comeBack(this.#environment.random() * 250);
        } else this.#comeBack(this.#backoff.next());
    }
  }

  #comeBack(delayMillis: number): void {
    const generation = this.#generation;
    this.#set({ phase: "waiting", since: this.#disconnectedSince });
    this.#cancelTimer = this.#environment.after(delayMillis, () => {
      if (generation === this.#generation) void this.#connect();
    });
  }

  #signedOut(): void {
    this.#abandon(CloseCode.LEAVING);
    this.#set({ phase: "signed-out", since: this.#environment.now() });
  }

  /** Forget the present socket and everything that waits for it. */
  #abandon(code: number): void {
    this.#generation += 1;
    this.#cancelTimer();
    this.#cancelSilence();
    if (this.#status.phase === "live") {
      this.#disconnectedSince = this.#environment.now();
      this.#backoff.wasConnectedFor(this.#environment.now() - this.#status.since);
    }
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // A page may send 1000 or 3000–4999 only.
    socket.close(code >= 3000 ? code : 1000);
    this.#handlers.ended();
  }

  #set(status: SocketStatus): void {
    this.#status = status;
    this.#handlers.status(status);
  }
}
