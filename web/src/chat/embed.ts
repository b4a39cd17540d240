/**
 * Puts the chat box on somebody's site: <script src="…/embed.js" data-channel="…" async></script>
 * A round button in the corner; the box itself is a frame of ours, so neither page can reach into the other.
 */

import type { ToBox, ToPage } from "./frame-messages";

const STYLE = `
:host { all: initial; }
.launcher { position: fixed; right: 20px; bottom: calc(20px + env(safe-area-inset-bottom)); z-index: 2147483000; width: 56px; height: 56px; border: 0; border-radius: 50%;
  background: var(--accent, #2360e8); color: #fff; cursor: pointer; display: grid; place-items: center; box-shadow: 0 6px 24px rgb(10 14 25 / .28); }
.launcher:focus-visible { outline: 3px solid #8ab0ff; outline-offset: 3px; }
.launcher svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.count { position: absolute; top: -3px; right: -3px; min-width: 20px; height: 20px; box-sizing: border-box; padding: 0 6px; border-radius: 10px; background: #c0271d; color: #fff;
  font: 600 12px/20px system-ui, sans-serif; text-align: center; }
.panel { position: fixed; right: 20px; bottom: calc(88px + env(safe-area-inset-bottom)); z-index: 2147483000; width: min(384px, calc(100vw - 40px)); height: min(640px, calc(100dvh - 112px));
  border: 0; border-radius: 16px; box-shadow: 0 16px 56px rgb(10 14 25 / .3); background: transparent; color-scheme: light dark; }
[hidden] { display: none !important; }
@media (max-width: 479px) {
  .panel { inset: 0; width: 100vw; height: 100dvh; border-radius: 0; }
  .is-open .launcher { display: none; }
}`;
const CHAT =
  "M17 9.6c0 3.4-3.1 6.1-7 6.1-.9 0-1.7-.1-2.5-.4L4 16.6l.7-3.1A5.7 5.7 0 0 1 3 9.6c0-3.4 3.1-6.1 7-6.1s7 2.7 7 6.1z";
const SVG = "http://www.w3.org/2000/svg";
const DOWN = "m5 7.5 5 5 5-5";

function start(script: HTMLScriptElement): void {
  const channel = script.dataset.channel ?? "";
  const origin = new URL(script.src).origin;
  if (channel === "" || document.querySelector("inbox-chat") !== null) return;
  const openedKey = `inbox.chat.${channel}`;

  const host = document.createElement("inbox-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const frame = document.createElement("iframe");
  const launcher = document.createElement("button");
  const count = document.createElement("span");
  const frameOf = document.createElement("div");
  // Made this way, the style needs no exception in the site's content policy.
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [style];
  frame.className = "panel";
  frame.title = "Chat";
  frame.hidden = true;
  launcher.className = "launcher";
  launcher.type = "button";
  count.className = "count";
  count.hidden = true;
  frameOf.append(frame, launcher);
  shadow.append(frameOf);

  const isOpen = () => !frame.hidden;
  const tell = (message: ToBox) => frame.contentWindow?.postMessage(message, origin);
  const draw = () => {
    launcher.replaceChildren(icon(isOpen() ? DOWN : CHAT), count);
    launcher.setAttribute("aria-label", isOpen() ? "Close the chat" : "Open the chat");
    launcher.setAttribute("aria-expanded", String(isOpen()));
    frameOf.classList.toggle("is-open", isOpen());
  };
  const load = () => {
    if (frame.src === "") frame.src = `${origin}/chat/${encodeURIComponent(channel)}`;
  };
  const show = (opens: boolean) => {
    load();
    frame.hidden = !opens;
    tell({ inbox: opens ? "shown" : "hidden" });
    draw();
    if (opens) remember(openedKey);
    else launcher.focus();
  };

  launcher.addEventListener("click", () => show(!isOpen()));
  frame.addEventListener("load", () => tell({ inbox: isOpen() ? "shown" : "hidden" }));
  window.addEventListener("message", (event: MessageEvent<ToPage>) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    const message = event.data;
    if (message.inbox === "close") show(false);
    else if (message.inbox === "unseen") {
      const number = Math.max(0, Math.trunc(Number(message.count)));
      count.textContent = number > 9 ? "9+" : String(number);
      count.hidden = number === 0 || isOpen();
    } else if (message.inbox === "accent" && /^#[0-9a-f]{6}$/iu.test(message.color)) {
      host.style.setProperty("--accent", message.color);
    }
  });

  draw();
  document.body.append(host);
  // Whoever wrote before may get an answer while the box is closed; nobody else costs a connection.
  if (remembers(openedKey)) load();
}

function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function remember(key: string): void {
  try {
    localStorage.setItem(key, "1");
  } catch {
    // Then the box connects when it is opened.
  }
}

function remembers(key: string): boolean {
  try {
    return localStorage.getItem(key) !== null;
  } catch {
    return false;
  }
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  if (document.body !== null) start(script);
  else document.addEventListener("DOMContentLoaded", () => start(script));
}
