/** Starts the customers' chat box at /chat/<channel id>. */

import { readItem, removeItem, writeItem } from "../connection/local-storage";
import { Chat, type ChatSnapshot, unseenCount } from "./chat";
import { inkOn, safeColor } from "./color";
import type { ToBox, ToPage } from "./frame-messages";
import { HistoryView, watchSeen } from "./view";

const NOTICE_AFTER_MILLIS = 2_000;
const TALLEST_PIXELS = 140;

function byId<E extends HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as E;
}

const channelId = decodeURIComponent(window.location.pathname.split("/")[2] ?? "");
const isEmbedded = window.parent !== window;
const parentOrigin = isEmbedded ? embeddingOrigin() : "";
let isShown = !isEmbedded;

const box = byId("box");
const log = byId("log");
const text = byId<HTMLTextAreaElement>("text");
const sendButton = byId<HTMLButtonElement>("send");
const notice = byId("notice");
const draftKey = `inbox.draft.chat.${channelId}`;

function embeddingOrigin(): string {
  const ancestor = window.location.ancestorOrigins?.[0];
  if (ancestor !== undefined) return ancestor;
  try {
    return new URL(document.referrer).origin;
  } catch {
    return "";
  }
}

function tellPage(message: ToPage): void {
  if (isEmbedded && parentOrigin !== "") window.parent.postMessage(message, parentOrigin);
}

const chat = new Chat(channelId, parentOrigin === window.location.origin ? "" : parentOrigin, draw);
const view = new HistoryView(log, byId("rows"), {
  sendAgain: (id) => chat.sendAgain(id),
  discard: (id) => chat.discard(id),
  loadOlder: () => void chat.loadOlder(),
  saw: (seq) => chat.saw(seq),
});

let isDrawAsked = false;
/** Many changes in one turn are one drawing. */
function draw(): void {
  if (isDrawAsked) return;
  isDrawAsked = true;
  queueMicrotask(() => {
    isDrawAsked = false;
    drawNow(chat.snapshot);
  });
}

function drawNow(snapshot: ChatSnapshot): void {
  drawHead(snapshot);
  drawNotice(snapshot);
  view.draw(snapshot, new Date());
  box.classList.toggle(
    "is-loading",
    !snapshot.isHistoryLoaded && snapshot.availability !== "not-found",
  );
  tellPage({ inbox: "unseen", count: unseenCount(snapshot) });
}

let shownAccent = "";
function drawHead({ session }: ChatSnapshot): void {
  if (session === null) return;
  const name = session.channelDisplayName || "Chat";
  byId("name").textContent = name;
  byId("mark").textContent = [...name][0]?.toLocaleUpperCase() ?? "";
  if (!isEmbedded) document.title = name;
  const color = safeColor(session.accentColor);
  if (color === null || color === shownAccent) return;
  shownAccent = color;
  document.documentElement.style.setProperty("--accent", color);
  document.documentElement.style.setProperty("--accent-ink", inkOn(color));
  tellPage({ inbox: "accent", color });
}

let noticeTimer: ReturnType<typeof setTimeout> | undefined;
function drawNotice({ availability, status }: ChatSnapshot): void {
  clearTimeout(noticeTimer);
  const show = (saying: string) => {
    notice.textContent = saying;
    notice.hidden = saying === "";
  };
  const canWrite = availability === "opening" || availability === "open";
  byId("compose").hidden = !canWrite;
  byId("state").textContent = status.phase === "live" ? "We reply right here" : "";
  if (availability === "not-found") show("This chat is not available any more.");
  else if (availability === "not-allowed") show("This chat may not be shown on this site.");
  else if (status.phase === "stopped" || status.phase === "signed-out")
    show("The chat was paused. Reload the page to go on.");
  else if (status.phase === "waiting" || status.phase === "connecting") {
    const wait = Math.max(0, status.since + NOTICE_AFTER_MILLIS - Date.now());
    noticeTimer = setTimeout(() => show("Connecting… What you write is kept and sent."), wait);
  } else show("");
}

function fitText(): void {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, TALLEST_PIXELS)}px`;
  const isEmpty = text.value.trim() === "";
  sendButton.setAttribute("aria-disabled", String(isEmpty));
  sendButton.title = isEmpty ? "Write something first" : "Send (Enter)";
}

function submit(): void {
  const words = text.value.trim();
  if (words === "") return;
  text.value = "";
  removeItem(draftKey);
  fitText();
  chat.send(words);
  view.scrollToEnd();
  text.focus();
}

text.addEventListener("input", () => {
  writeItem(draftKey, text.value);
  fitText();
  if (text.value.trim() !== "") chat.typing();
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
    return;
  // Enter that chooses a word of an input method never sends.
  if (event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (!event.repeat) submit();
});
byId("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

if (isEmbedded) {
  document.documentElement.classList.add("is-embedded");
  const close = byId<HTMLButtonElement>("close");
  close.hidden = false;
  close.addEventListener("click", () => tellPage({ inbox: "close" }));
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tellPage({ inbox: "close" });
  });
  window.addEventListener("message", (event: MessageEvent<ToBox>) => {
    if (event.source !== window.parent || event.origin !== parentOrigin) return;
    if (event.data.inbox === "shown") {
      isShown = true;
      view.scrollToEnd();
      text.focus();
    } else if (event.data.inbox === "hidden") isShown = false;
  });
}

const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  if (viewport.scale > 1.01) return;
  document.documentElement.style.setProperty("--viewport-height", `${viewport.height}px`);
});

text.value = readItem(draftKey) ?? "";
fitText();
watchSeen(
  view,
  () => isShown && document.visibilityState === "visible",
  (seq) => chat.saw(seq),
);
drawNow(chat.snapshot);
chat.start();
