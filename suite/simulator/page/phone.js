// The customer's phone: shows what the platform sends by server-sent events, and sends what is typed.
"use strict";

const base = location.pathname.replace(/\/$/, "");
const byId = (id) => document.getElementById(id);
const talk = byId("talk");
const list = byId("messages");
const text = byId("text");

const ROWS = [
  { key: "fail_next", title: "Send fails", hint: "Refused by the platform.", codes: true },
  { key: "fail_late", title: "Fails late", hint: "Accepted, then reported failed." },
  { key: "answer_late", title: "Answers late", hint: "Arrives; the answer takes 20 s." },
  { key: "reset_after_accept", title: "Connection reset", hint: "Cut after accepting the message." },
  { key: "rate_limit", title: "Rate limit", hint: "429, come back in two seconds." },
  { key: "is_token_expired", title: "Access token expired", hint: "Every call is refused until this is off.", toggle: true },
  { key: "are_receipts_off", title: "Receipts off", hint: "Delivered and read are not reported.", toggle: true },
  { key: "echoes_own", title: "Echoes", hint: "The business's own messages are told again.", toggle: true },
  { key: "shuffles", also: "duplicates", title: "Unruly webhooks", hint: "Twice, and in the wrong order.", toggle: true },
];
const CODES = {
  recipient_unavailable: "customer cannot be reached",
  content_rejected: "content refused",
  window_closed: "reply window closed",
  account_blocked: "account blocked",
  internal_error: "fault of the platform",
};
const LATE_SECONDS = 20;

let phone = null;
let shownIds = new Set();
let isFirst = true;

function shown(message) {
  if (message.kind === "text") return message.text;
  const what = `${message.kind}: ${message.file_name || JSON.stringify(message.details)}`;
  return message.text ? `${what}\n${message.text}` : what;
}

async function post(path, body, method = "POST") {
  const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
}

function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

function tick(paths) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 14");
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
const ONE_TICK = ["m4 7.5 3.5 3.5L14 3.5"];
const TWO_TICKS = ["m1.5 7.5 3.5 3.5 6.5-7.5", "m9 10 1 1 6.5-7.5"];

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
function dayName(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : calendar.format(date);
}

function isOnPhone(message) {
  return message.direction === "from_customer" || ["delivered", "read"].includes(message.state);
}

function bubble(message, isTurn) {
  const isMine = message.direction === "from_customer";
  const row = element("li", `message${isMine ? " mine" : ""}${isTurn ? " turn" : ""}`);
  if (!shownIds.has(message.id) && !isFirst) row.classList.add("new");
  const box = element("div", "bubble", shown(message));
  const meta = element("span", "meta");
  const time = element("time", "", clock.format(new Date(message.time)));
  time.dateTime = message.time;
  meta.append(time);
  if (isMine) {
    meta.append(tick(message.was_fetched ? TWO_TICKS : ONE_TICK));
    meta.append(element("span", "hidden", message.was_fetched ? "the business has it" : "sent"));
    if (message.was_fetched) meta.classList.add("seen");
  }
  box.append(meta);
  row.append(box);
  return row;
}

function showMessages() {
  const isAtEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;
  const shown = phone.messages.filter(isOnPhone);
  const rows = [];
  let day = "";
  let side = "";
  for (const message of shown) {
    const name = dayName(new Date(message.time));
    if (name !== day) {
      const row = element("li", "day");
      row.append(element("span", "", name));
      rows.push(row);
      day = name;
      side = "";
    }
    rows.push(bubble(message, message.direction !== side));
    side = message.direction;
  }
  list.replaceChildren(...rows);
  byId("empty").hidden = shown.length > 0;
  const isMore = shown.some((message) => !shownIds.has(message.id));
  shownIds = new Set(shown.map((message) => message.id));
  if (isAtEnd || isFirst || isMore) talk.scrollTop = talk.scrollHeight;
  isFirst = false;
}

function showHeader() {
  const name = phone.account.name;
  byId("business").textContent = name;
  byId("face").textContent = name.split(/\s+/).slice(0, 2).map((word) => word[0] ?? "").join("").toUpperCase();
  const coming = phone.messages.filter((message) => message.direction === "to_customer" && ["accepted", "sent"].includes(message.state)).length;
  byId("line").textContent = coming ? `${coming} on the way to this phone…` : `You are ${phone.customer.name}`;
  document.title = `${phone.customer.name}’s phone · ${name}`;
  if (document.activeElement !== byId("name") && !byId("name").dataset.touched) byId("name").value = phone.customer.name === phone.customer.id ? "" : phone.customer.name;
}

function showHook() {
  const hook = byId("hook");
  const { state, pending } = phone.webhook;
  const waiting = pending ? `, ${pending} waiting` : "";
  const isOk = state === "ok" || state === "idle";
  hook.className = `hook ${state === "ok" ? "ok" : isOk ? "" : "bad"}`;
  hook.textContent = state === "idle" ? `The business's webhook was not called yet${waiting}` : isOk ? `The business's webhook answers${waiting}` : `The business's webhook ${state}${waiting}`;
}

function rowOf(row) {
  const made = element("div", "row");
  const words = element("div");
  words.append(element("b", "", row.title), element("small", "", row.hint));
  if (row.codes) {
    const select = element("select");
    select.id = "fail-code";
    select.setAttribute("aria-label", "Reason");
    for (const [code, label] of Object.entries(CODES)) select.append(new Option(label, code));
    select.addEventListener("change", () => change({ fail_code: select.value }));
    words.append(select);
  }
  const pick = element("div", "pick");
  pick.setAttribute("role", "radiogroup");
  pick.setAttribute("aria-label", row.title);
  const choices = row.toggle ? [["Off", false], ["On", true]] : [["Off", 0], ["Next", 1], ["All", -1]];
  choices.forEach(([label, value], index) => {
    const wrap = element("label", index ? "on" : "");
    const input = element("input");
    input.type = "radio";
    input.name = row.key;
    input.value = String(value);
    input.addEventListener("change", () => {
      const changes = { [row.key]: value };
      if (row.also) changes[row.also] = value;
      if (row.key === "answer_late") changes.answer_late_seconds = LATE_SECONDS;
      change(changes);
    });
    wrap.append(input, element("span", "", label));
    pick.append(wrap);
  });
  made.append(words, pick);
  return made;
}

function showSwitches() {
  let isAnyOn = false;
  for (const row of ROWS) {
    const value = phone.switches[row.key];
    const wanted = row.toggle ? String(value) : value < 0 ? "-1" : value > 0 ? "1" : "0";
    isAnyOn ||= Boolean(value);
    for (const input of document.getElementsByName(row.key)) input.checked = input.value === wanted;
  }
  const select = byId("fail-code");
  if (document.activeElement !== select) select.value = phone.switches.fail_code;
  byId("open-panel").classList.toggle("active", isAnyOn);
}

async function change(changes) {
  const account = base.split("/").at(-2);
  const root = base.split("/").slice(0, -3).join("/");
  await post(`${root}/control/accounts/${account}/switches`, changes, "PATCH").catch(() => phone && showSwitches());
}

async function see() {
  const isNew = phone?.messages.some((message) => message.direction === "to_customer" && message.state === "delivered");
  if (isNew && document.visibilityState === "visible") await post(`${base}/seen`, {}).catch(() => {});
}

function show(data) {
  phone = data;
  showHeader();
  showMessages();
  showSwitches();
  showHook();
  // A person needs a moment to look.
  setTimeout(see, 500);
}

function fit() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 120)}px`;
  document.querySelector(".send").setAttribute("aria-disabled", String(!text.value.trim()));
}

async function send() {
  const words = text.value;
  if (!words.trim()) return;
  text.value = "";
  fit();
  try {
    await post(`${base}/messages`, { text: words, name: byId("name").value.trim() });
  } catch {
    // Nothing typed is lost: it goes back where it was.
    text.value = words + text.value;
    fit();
    byId("line").textContent = "not sent: the simulator does not answer";
  }
}

async function answer() {
  const words = byId("owner").value;
  if (!words.trim()) return;
  byId("owner").value = "";
  await post(`${base}/answers`, { text: words }).catch(() => { byId("owner").value = words; });
}

function togglePanel(isOpen) {
  byId("panel").classList.toggle("open", isOpen);
  byId("shade").hidden = !isOpen;
  byId("open-panel").setAttribute("aria-expanded", String(isOpen));
  (isOpen ? byId("close-panel") : byId("open-panel")).focus();
}

byId("rows").append(...ROWS.map(rowOf));
byId("write").addEventListener("submit", (event) => { event.preventDefault(); send(); });
byId("answer").addEventListener("submit", (event) => { event.preventDefault(); answer(); });
byId("rename").addEventListener("submit", (event) => { event.preventDefault(); text.focus(); });
byId("name").addEventListener("input", () => { byId("name").dataset.touched = "yes"; });
text.addEventListener("input", fit);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); send(); }
});
byId("open-panel").addEventListener("click", () => togglePanel(true));
byId("close-panel").addEventListener("click", () => togglePanel(false));
byId("shade").addEventListener("click", () => togglePanel(false));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && byId("panel").classList.contains("open")) togglePanel(false); });
document.addEventListener("visibilitychange", see);
byId("another").addEventListener("click", (event) => {
  event.preventDefault();
  location.href = `${base.split("/").slice(0, -1).join("/")}/customer-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
});

const stream = new EventSource(`${base}/live`);
stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
stream.addEventListener("error", () => { byId("line").textContent = "connecting again…"; });
