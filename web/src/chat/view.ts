/** Draws the chat box. Customers' and agents' words only ever become text nodes. */

import type { OutboxEntry } from "../connection/outbox";
import { clockTime, dayKey, dayName } from "../ui/time";
import type { ChatSnapshot } from "./chat";
import type { ChatMessage } from "./history";

const TOGETHER_WITHIN_MILLIS = 5 * 60_000;
const NEAR_END_PIXELS = 60;
const NEAR_START_PIXELS = 240;
const SEEN_AFTER_MILLIS = 500;

export interface ViewActions {
  sendAgain(clientMessageId: string): void;
  discard(clientMessageId: string): void;
  loadOlder(): void;
  saw(seq: number): void;
}

interface RowModel {
  readonly key: string;
  /** The row is drawn again when this changes. */
  readonly signature: string;
  readonly draw: () => HTMLElement;
}

type Item =
  | { kind: "message"; message: ChatMessage; time: Date; key: string; isOwn: boolean }
  | { kind: "waiting"; entry: OutboxEntry; time: Date; key: string; isOwn: true };

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

export class HistoryView {
  readonly #log: HTMLElement;
  readonly #rows: HTMLElement;
  readonly #actions: ViewActions;
  readonly #drawn = new Map<string, { signature: string; element: HTMLElement }>();
  #sticks = true;
  #anchor: { key: string; bottom: number } | null = null;

  constructor(log: HTMLElement, rows: HTMLElement, actions: ViewActions) {
    this.#log = log;
    this.#rows = rows;
    this.#actions = actions;
    log.addEventListener("scroll", () => this.#look(), { passive: true });
    new ResizeObserver(() => this.#hold()).observe(log);
  }

  /** The seq up to which messages of the business are on screen. */
  seenSeq(): number {
    const frame = this.#log.getBoundingClientRect();
    if (frame.height === 0) return 0;
    let seen = 0;
    for (const row of this.#rows.querySelectorAll<HTMLElement>("[data-seq]")) {
      const { top, bottom, height } = row.getBoundingClientRect();
      const shown = Math.min(bottom, frame.bottom) - Math.max(top, frame.top);
      if (shown > 0 && shown >= Math.min(height, frame.height) / 2) seen = Number(row.dataset.seq);
    }
    return seen;
  }

  scrollToEnd(): void {
    this.#sticks = true;
    this.#hold();
  }

  draw(snapshot: ChatSnapshot, now: Date): void {
    const models = rowModels(snapshot, now, this.#actions);
    const wanted = new Set(models.map((model) => model.key));
    for (const [key, { element: old }] of this.#drawn) {
      if (wanted.has(key)) continue;
      old.remove();
      this.#drawn.delete(key);
    }
    let before: ChildNode | null = this.#rows.firstChild;
    for (const model of models) {
      const known = this.#drawn.get(model.key);
      let row = known?.element;
      if (row === undefined || known?.signature !== model.signature) {
        const drawn = model.draw();
        drawn.dataset.key = model.key;
        if (row !== undefined) {
          if (before === row) before = drawn;
          row.replaceWith(drawn);
        }
        row = drawn;
        this.#drawn.set(model.key, { signature: model.signature, element: row });
      }
      if (before === row) before = row.nextSibling;
      else this.#rows.insertBefore(row, before);
    }
    this.#hold();
  }

  #hold(): void {
    if (this.#sticks) {
      this.#log.scrollTop = this.#log.scrollHeight;
      return;
    }
    const held = this.#anchor && this.#drawn.get(this.#anchor.key)?.element;
    if (held && this.#anchor) {
      this.#log.scrollTop = held.offsetTop + held.offsetHeight - this.#anchor.bottom;
    }
  }

  #look(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#sticks = scrollHeight - scrollTop - clientHeight <= NEAR_END_PIXELS;
    for (const row of this.#rows.children) {
      if (!(row instanceof HTMLElement)) continue;
      const bottom = row.offsetTop + row.offsetHeight - scrollTop;
      if (bottom <= 0) continue;
      this.#anchor = { key: row.dataset.key ?? "", bottom };
      break;
    }
    if (scrollTop < NEAR_START_PIXELS) this.#actions.loadOlder();
  }
}

function rowModels(snapshot: ChatSnapshot, now: Date, actions: ViewActions): RowModel[] {
  const { messages, hasOlder } = snapshot.history;
  const arrived = new Set(messages.map((message) => message.clientMessageId));
  const items: Item[] = [
    ...messages.map(
      (message): Item => ({
        kind: "message",
        message,
        time: message.time,
        key: message.key,
        isOwn: message.isOwn,
      }),
    ),
    ...snapshot.waiting
      .filter((entry) => !arrived.has(entry.clientMessageId))
      .map(
        (entry): Item => ({
          kind: "waiting",
          entry,
          time: new Date(entry.createTimeMillis),
          key: entry.clientMessageId,
          isOwn: true,
        }),
      ),
  ];
  const models: RowModel[] = [];
  const greeting = snapshot.session?.greeting ?? "";
  if (greeting !== "" && !hasOlder && snapshot.isHistoryLoaded) {
    models.push({
      key: "greeting",
      signature: greeting,
      draw: () => bubble("theirs last first", greeting, null),
    });
  }
  let day = "";
  items.forEach((item, index) => {
    const itsDay = dayKey(item.time);
    if (itsDay > day) {
      day = itsDay;
      const name = dayName(item.time, now);
      models.push({
        key: `day ${itsDay}`,
        signature: name,
        draw: () => element("p", "day", element("span", "", name)),
      });
    }
    const isFirst = !standTogether(items[index - 1], item);
    const isLast = !standTogether(item, items[index + 1]);
    models.push(
      item.kind === "message"
        ? messageRow(item.message, isFirst, isLast)
        : waitingRow(item.entry, isFirst, actions),
    );
  });
  if (snapshot.isAgentTyping) models.push({ key: "typing", signature: "", draw: typingRow });
  return models;
}

function standTogether(a: Item | undefined, b: Item | undefined): boolean {
  if (a === undefined || b === undefined || a.isOwn !== b.isOwn) return false;
  const authors = [a, b].map((item) => (item.kind === "message" ? item.message.author : ""));
  const isSameAuthor = a.isOwn || authors[0] === authors[1];
  return (
    isSameAuthor &&
    b.time.getTime() - a.time.getTime() < TOGETHER_WITHIN_MILLIS &&
    dayKey(a.time) === dayKey(b.time)
  );
}

function messageRow(message: ChatMessage, isFirst: boolean, isLast: boolean): RowModel {
  return {
    key: message.key,
    signature: `${message.version} ${isFirst} ${isLast}`,
    draw: () => {
      const look = `${message.isOwn ? "own" : "theirs"}${isFirst ? " first" : ""}${isLast ? " last" : ""}`;
      const row = bubble(look, message.text, isLast ? message.time : null);
      if (isFirst && !message.isOwn && message.author !== "") {
        const isNamedSo = message.author.toLowerCase() === "assistant";
        const name =
          message.isAssistant && !isNamedSo ? `${message.author} · assistant` : message.author;
        row.prepend(element("p", "author", name));
      }
      row.setAttribute(
        "aria-label",
        `${message.isOwn ? "You" : message.author}, ${clockTime(message.time)}`,
      );
      if (!message.isOwn) row.dataset.seq = String(message.seq);
      return row;
    },
  };
}

function waitingRow(entry: OutboxEntry, isFirst: boolean, actions: ViewActions): RowModel {
  return {
    key: entry.clientMessageId,
    signature: `${entry.state} ${isFirst}`,
    draw: () => {
      const row = bubble(`own last waiting${isFirst ? " first" : ""}`, entry.text, null);
      if (entry.state === "waiting") {
        row.append(element("p", "meta", "Sending…"));
        return row;
      }
      const again = element("button", "link", "Send again");
      again.type = "button";
      again.addEventListener("click", () => actions.sendAgain(entry.clientMessageId));
      const discard = element("button", "link", "Discard");
      discard.type = "button";
      discard.addEventListener("click", () => actions.discard(entry.clientMessageId));
      row.append(element("p", "meta failed", "Not sent.", discard, again));
      return row;
    },
  };
}

function bubble(look: string, text: string, time: Date | null): HTMLElement {
  const row = element("article", `row ${look}`, element("div", "bubble", text));
  if (time !== null) {
    const stamp = element("time", "meta", clockTime(time));
    stamp.dateTime = time.toISOString();
    row.append(stamp);
  }
  return row;
}

function typingRow(): HTMLElement {
  const dots = element("div", "bubble dots", element("i", ""), element("i", ""), element("i", ""));
  dots.setAttribute("role", "img");
  dots.setAttribute("aria-label", "Somebody is typing");
  return element("article", "row theirs first last", dots);
}

/** Calls `saw` with what has been on screen for half a second while `isShown` says somebody can see it. */
export function watchSeen(
  view: HistoryView,
  isShown: () => boolean,
  saw: (seq: number) => void,
): void {
  let candidate = 0;
  setInterval(() => {
    const seen = isShown() ? view.seenSeq() : 0;
    if (candidate > 0 && seen >= candidate) saw(candidate);
    candidate = seen;
  }, SEEN_AFTER_MILLIS);
}
