/** Small things kept on this machine. A browser that refuses storage costs memory of them, never a crash. */

import type { OutboxEntry, OutboxStorage } from "./outbox";

export function readItem(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeItem(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Full or forbidden: the page still holds it until it is closed.
  }
}

export function removeItem(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}

function keysWith(prefix: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

/** Belongs to one member: what one person wrote is never sent in another's name. */
export function outboxStorage(owner: string): OutboxStorage {
  const prefix = `inbox.outbox.${owner}.`;
  return {
    load: () =>
      keysWith(prefix).flatMap((key) => {
        try {
          const entry = JSON.parse(readItem(key) ?? "") as OutboxEntry;
          return typeof entry.text === "string" && typeof entry.clientMessageId === "string"
            ? [entry]
            : [];
        } catch {
          return [];
        }
      }),
    put: (entry) => writeItem(prefix + entry.clientMessageId, JSON.stringify(entry)),
    remove: (clientMessageId) => removeItem(prefix + clientMessageId),
  };
}

/** Belongs to one member, like the outbox. */
export function draftStorage(owner: string): {
  read(conversationId: string): string | null;
  write(conversationId: string, value: string | null): void;
  /** The browser tells of what its other tabs wrote. */
  listen(changed: (conversationId: string) => void): void;
} {
  const prefix = `inbox.draft.${owner}.`;
  const keyOf = (conversationId: string) => prefix + conversationId;
  return {
    listen: (changed) =>
      window.addEventListener("storage", ({ key }) => {
        if (key?.startsWith(prefix)) changed(key.slice(prefix.length));
      }),
    read: (conversationId) => readItem(keyOf(conversationId)),
    write: (conversationId, value) =>
      value === null ? removeItem(keyOf(conversationId)) : writeItem(keyOf(conversationId), value),
  };
}
