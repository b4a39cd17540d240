/**
 * The agents' live line: ServerFrames in, ClientFrames out, resumed by position.
 * Guards the chain: a frame that does not follow the last position is never applied.
 */

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Error as RefusalValue } from "../gen/inbox/error/v1/reason_pb";
import type {
  SendMessageRequest,
  SendMessageResponse,
} from "../gen/inbox/messaging/v1/messaging_service_pb";
import {
  type Ack,
  ClientFrameSchema,
  type PresenceUpdateSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "../gen/inbox/realtime/v1/frame_pb";
import { CloseCode } from "./close-codes";
import { browser, type Environment } from "./environment";
import { ReconnectingSocket, type SocketStatus } from "./socket";

const ACK_WITHIN_MILLIS = 12_000;
const SUBPROTOCOL = "inbox.v1.proto";
/** The same hole this often in a row is not an accident of one gateway: load a snapshot. */
const HOLES_BEFORE_SNAPSHOT = 2;

/** There is no live line right now, or it broke before the answer: undecided, try again with the same id. */
export class LineBroken extends Error {}

/** The service refused it; nothing was stored. */
export class SendRefused extends Error {
  readonly refusal: RefusalValue;
  constructor(refusal: RefusalValue) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export interface LiveHandlers {
  /** Gets a ticket; throws CredentialRefused when only signing in helps. */
  ticket(): Promise<string>;
  /** A frame that follows the one before. */
  frame(frame: ServerFrame): void;
  /** What we hold may have holes: load a snapshot that shows all up to the position. Frames from now on follow it. */
  snapshotNeeded(position: string): void;
  status(status: SocketStatus): void;
}

interface Waiter {
  resolve(response: SendMessageResponse): void;
  reject(error: Error): void;
  cancel(): void;
}

export class LiveConnection {
  #position = "";
  #holes = 0;
  /** A snapshot was asked for at this very position of this very socket. */
  #isFreshStart = false;
  #nextRef = 1n;
  readonly #waiters = new Map<bigint, Waiter>();
  readonly #socket: ReconnectingSocket;
  readonly #handlers: LiveHandlers;
  readonly #environment: Environment;

  constructor(address: string, handlers: LiveHandlers, environment: Environment = browser) {
    this.#handlers = handlers;
    this.#environment = environment;
    this.#socket = new ReconnectingSocket(
      address,
      SUBPROTOCOL,
      {
        credential: () => handlers.ticket(),
        hello: (ticket) =>
          this.#encode({ case: "hello", value: { ticket, position: this.#position } }),
        message: (data) => this.#receive(data),
        status: (status) => handlers.status(status),
        ended: () => this.#breakWaiters(),
      },
      environment,
    );
  }

  get position(): string {
    return this.#position;
  }

  get status(): SocketStatus {
    return this.#socket.status;
  }

  start(): void {
    this.#socket.start();
  }

  stop(): void {
    this.#socket.stop();
  }

  connectNow(): void {
    this.#socket.connectNow();
  }

  /** The network is gone or was changed: the present line is worth nothing. */
  distrust(): void {
    this.#socket.reconnect(CloseCode.SILENT);
  }

  /** Rejects with LineBroken (undecided) or SendRefused (nothing stored). */
  sendMessage(request: SendMessageRequest): Promise<SendMessageResponse> {
    const ref = this.#nextRef++;
    return new Promise((resolve, reject) => {
      if (!this.#socket.send(this.#encode({ case: "sendMessage", value: request }, ref))) {
        reject(new LineBroken("not connected"));
        return;
      }
      const cancel = this.#environment.after(ACK_WITHIN_MILLIS, () => {
        this.#waiters.delete(ref);
        reject(new LineBroken("no answer in time"));
      });
      this.#waiters.set(ref, { resolve, reject, cancel });
    });
  }

  /** Best effort; said again by whoever calls. */
  tellPresence(presence: MessageInitShape<typeof PresenceUpdateSchema>): void {
    this.#socket.send(this.#encode({ case: "presence", value: presence }));
  }

  #encode(
    body: MessageInitShape<typeof ClientFrameSchema>["body"],
    ref = 0n,
  ): Uint8Array<ArrayBuffer> {
    return toBinary(ClientFrameSchema, create(ClientFrameSchema, { ref, body }));
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    const frame = fromBinary(ServerFrameSchema, new Uint8Array(data));
    const body = frame.body;
    switch (body.case) {
      case "hello":
        this.#socket.greeted();
        this.#isFreshStart = false;
        if (!body.value.isResumed) this.#startOver(frame.position);
        return;
      case "resyncRequired":
        this.#startOver(frame.position);
        return;
      case "reconnect":
        this.#socket.reconnectAfter(Number(body.value.delayMillis));
        return;
      case "tokenExpiring":
        void this.#refresh();
        return;
      case "ack":
        this.#settle(body.value);
        return;
      default:
        if (frame.position === "" || this.#follows(frame)) this.#handlers.frame(frame);
    }
  }

  /** Told twice when a position could not be resumed: by the greeting, and by a frame for clients that ask there. */
  #startOver(position: string): void {
    if (this.#isFreshStart && position === this.#position) return;
    this.#isFreshStart = true;
    this.#position = position;
    this.#holes = 0;
    this.#handlers.snapshotNeeded(position);
  }

  /** Whether the frame is the next one; moves the position if so. */
  #follows(frame: ServerFrame): boolean {
    if (frame.position === this.#position) return false; // a repeat
    if (this.#position === "" || frame.previous === this.#position) {
      this.#position = frame.position;
      this.#isFreshStart = false;
      this.#holes = 0;
      return true;
    }
    this.#holes += 1;
    // Without a position the next hello is answered with "not resumed", which loads a snapshot.
    if (this.#holes >= HOLES_BEFORE_SNAPSHOT) this.#position = "";
    this.#socket.reconnect(CloseCode.CHAIN_BROKEN);
    return false;
  }

  async #refresh(): Promise<void> {
    try {
      const ticket = await this.#handlers.ticket();
      this.#socket.send(this.#encode({ case: "tokenRefresh", value: { ticket } }));
    } catch {
      // The socket ends with 4401 when the token does, and the next connection asks again.
    }
  }

  #settle(ack: Ack): void {
    const waiter = this.#waiters.get(ack.ref);
    if (waiter === undefined) return;
    this.#waiters.delete(ack.ref);
    waiter.cancel();
    if (ack.outcome.case === "sent") waiter.resolve(ack.outcome.value);
    else if (ack.outcome.case === "error") waiter.reject(new SendRefused(ack.outcome.value));
    else waiter.reject(new LineBroken("an answer without an outcome"));
  }

  #breakWaiters(): void {
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) {
      waiter.cancel();
      waiter.reject(new LineBroken("the line broke"));
    }
  }
}
