/** Addresses of the client. The URL says what is on screen, so back, reload and sharing work. */

import { useSyncExternalStore } from "react";
import { keyOf, type ListQuery } from "../inbox/list-query";
import { listOf, OPEN_LIST, type Place, placeOf, searchOf } from "./list-address";
import { type SettingsPlace, settingsPathOf, settingsPlaceOf } from "./settings-address";

export interface InboxRoute {
  page: "inbox";
  list: ListQuery;
  conversationId: string | null;
  /** Null for the newest messages. */
  at: Place | null;
}

export type Route =
  | InboxRoute
  | { page: "channels" }
  | ({ page: "settings" } & SettingsPlace)
  | { page: "sign-in"; link: string | null; next: string }
  | { page: "invite"; token: string | null };

export function parse(location: { pathname: string; search: string }): Route {
  const query = new URLSearchParams(location.search);
  const [first = "", second = "", third = ""] = location.pathname.split("/").filter(Boolean);
  switch (first) {
    case "c":
      return inboxRoute(location.search, second || null);
    case "channels":
      return { page: "channels" };
    case "settings":
      return { page: "settings", ...settingsPlaceOf(second, third) };
    case "sign-in":
      return { page: "sign-in", link: query.get("link"), next: safeNext(query.get("next")) };
    case "invite":
      return { page: "invite", token: query.get("token") };
    default:
      return inboxRoute(location.search, null);
  }
}

function inboxRoute(search: string, conversationId: string | null): InboxRoute {
  const at = conversationId === null ? null : placeOf(search);
  return { page: "inbox", list: listOf(search), conversationId, at };
}

/** Only a path of ours: nobody may send a member elsewhere after signing in. */
function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case "inbox": {
      const path = route.conversationId === null ? "/" : `/c/${route.conversationId}`;
      return path + searchOf(route.list, route.at);
    }
    case "channels":
      return "/channels";
    case "settings":
      return settingsPathOf(route);
    case "sign-in":
      return route.next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(route.next)}`;
    case "invite":
      return "/invite";
  }
}

export const INBOX: InboxRoute = { page: "inbox", list: OPEN_LIST, conversationId: null, at: null };
export const SETTINGS: Route = { page: "settings", section: "account", entry: null };

const listeners = new Set<() => void>();
let current = parse(window.location);

function changed(): void {
  const next = parse(window.location);
  show(next.page === "inbox" && current.page === "inbox" ? withKnown(next, current) : next);
}

/** The same list stays the same object, so that rows need not be drawn again, and so does the same place, to stay there. */
function withKnown(next: InboxRoute, known: InboxRoute): InboxRoute {
  const isSameList = keyOf(next.list) === keyOf(known.list);
  const isSamePlace =
    next.conversationId === known.conversationId && next.at?.seq === known.at?.seq;
  return {
    ...next,
    list: isSameList ? known.list : next.list,
    at: isSamePlace ? known.at : next.at,
  };
}

function show(route: Route): void {
  current = route;
  for (const listener of [...listeners]) listener();
}
window.addEventListener("popstate", changed);

export function goTo(route: Route, how: "push" | "replace" = "push"): void {
  const path = pathOf(route);
  if (how === "push") {
    if (path === window.location.pathname + window.location.search) {
      if (route.page === "inbox" && route.at !== null) show(route);
      return;
    }
    window.history.pushState({ isOurs: true }, "", path);
  } else window.history.replaceState(window.history.state, "", path);
  changed();
}

/** The back arrow: what the browser's own back would do, or the list when there is nothing to go back to. */
export function goBack(fallback: Route): void {
  const state = window.history.state as { isOurs?: boolean } | null;
  if (state?.isOurs === true) window.history.back();
  else goTo(fallback, "replace");
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
