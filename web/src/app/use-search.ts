/** The search beside the list: its words, what it found, and the ways between the box and what was found. */

import { useRef, useState } from "react";
import { useObservable, useSession } from "../features/session";
import type { FoundMessage } from "../gen/inbox/messaging/v1/search_pb";
import { MessageSearch } from "../inbox/search";
import { goTo, type InboxRoute, pathOf } from "./router";
import { CLOCK } from "./session";

export function useSearch(route: InboxRoute) {
  const { services } = useSession();
  const [search] = useState(
    () =>
      new MessageSearch(
        (query, pageToken, signal) =>
          services.messaging.searchMessages({ query, pageToken }, { signal }),
        CLOCK,
      ),
  );
  const box = useRef<HTMLInputElement>(null);
  const results = useRef<HTMLElement>(null);
  const { conversationId, at } = route;
  const placeOf = ({ conversationId, seq }: FoundMessage): InboxRoute => ({
    ...route,
    conversationId,
    at: { seq },
  });

  return {
    search,
    box,
    results,
    isOn: useObservable(search).text.trim() !== "",
    links: {
      selected: conversationId !== null && at !== null ? { conversationId, seq: at.seq } : null,
      hrefOf: (message: FoundMessage) => pathOf(placeOf(message)),
      open: (message: FoundMessage) => goTo(placeOf(message)),
    },
    /** To the one that is looked at, or the best. */
    toResults() {
      const hits = results.current;
      (hits?.querySelector<HTMLElement>("a[aria-current]") ?? hits?.querySelector("a"))?.focus();
    },
    leave(how: "up" | "out") {
      // Where the focus goes on from, also when it leaves.
      box.current?.focus();
      if (how === "up") return;
      search.clear();
      box.current?.blur();
    },
  };
}
