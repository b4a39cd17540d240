/** What the connection needs of a browser; tests bring their own. */

export interface SocketLike {
  binaryType: BinaryType;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export interface Environment {
  now(): number;
  random(): number;
  /** Returns the way to call it off. */
  after(millis: number, act: () => void): () => void;
  openSocket(address: string, protocol: string): SocketLike;
}

export const browser: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (millis, act) => {
    const timer = setTimeout(act, millis);
    return () => clearTimeout(timer);
  },
  openSocket: (address, protocol) => new WebSocket(address, protocol) as unknown as SocketLike,
};
