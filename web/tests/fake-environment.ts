/** A browser whose clock stands still until it is moved, and whose sockets do what a test says. */

import type { Environment, SocketLike } from "../src/connection/environment";

export class FakeSocket implements SocketLike {
  binaryType: BinaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: (string | Uint8Array)[] = [];
  readonly address: string;
  readonly protocol: string;
  closedWith: number | null = null;

  constructor(address: string, protocol: string) {
    this.address = address;
    this.protocol = protocol;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code = 1000): void {
    this.closedWith = code;
  }

  /** The server takes the handshake. */
  opens(): void {
    this.onopen?.();
  }

  says(data: unknown): void {
    this.onmessage?.({ data });
  }

  /** The server, or the network, ends it. */
  ends(code: number): void {
    this.onclose?.({ code });
  }
}

interface Timer {
  readonly at: number;
  readonly act: () => void;
}

export class FakeEnvironment implements Environment {
  readonly sockets: FakeSocket[] = [];
  nextRandom = 0.5;
  #now = 1_000_000;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.nextRandom;
  }

  after(millis: number, act: () => void): () => void {
    const timer = { at: this.#now + millis, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  openSocket(address: string, protocol: string): FakeSocket {
    const socket = new FakeSocket(address, protocol);
    this.sockets.push(socket);
    return socket;
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  get waits(): number {
    return this.#timers.length;
  }

  /** Everything that is due in between happens, in order, and so does what it promises. */
  async pass(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settle();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.act();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything that is already promised happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
