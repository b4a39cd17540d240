/** The search beside the list: its words, what they found, and the ways between the box and what was found. */

import { useRef, useState } from "react";
import { useObservable, useSession } from "../features/session";
import type { FoundContact } from "../gen/inbox/conversation/v1/contact_search_pb";
import type { FoundMessage } from "../gen/inbox/messaging/v1/search_pb";
import { Search } from "../inbox/search";
import { goTo, type InboxRoute, pathOf } from "./router";
import { CLOCK } from "./session";

const CONTACTS_AT_ONCE = 5;

export function useSearch(route: InboxRoute) {
  const { services, contactApi } = useSession();
  const [messages] = useState(
    () =>
      new Search<FoundMessage>(
        async (query, pageToken, signal) => {
          const page = await services.messaging.searchMessages({ query, pageToken }, { signal });
          return { ...page, items: page.messages };
        },
        ({ messageId }) => messageId,
        CLOCK,
      ),
  );
  const [contacts] = useState(
    () =>
      new Search<FoundContact>(
        (query, pageToken, signal) => contactApi.search(query, CONTACTS_AT_ONCE, pageToken, signal),
        ({ contact }) => contact?.id ?? "",
        CLOCK,
      ),
  );
  const box = useRef<HTMLInputElement>(null);
  const results = useRef<HTMLElement>(null);
  const { conversationId, at } = route;
  const { text } = useObservable(messages);
  const messagePlace = ({ conversationId, seq }: FoundMessage): InboxRoute => ({
    ...route,
    conversationId,
    at: { seq },
  });
  const newestPlace = (id: string): InboxRoute => ({ ...route, conversationId: id, at: null });
  function type(words: string) {
    void messages.type(words);
    void contacts.type(words);
  }

  return {
    messages,
    contacts,
    box,
    results,
    text,
    type,
    isOn: text.trim() !== "",
    links: {
      selected: conversationId !== null && at !== null ? { conversationId, seq: at.seq } : null,
      hrefOf: (message: FoundMessage) => pathOf(messagePlace(message)),
      open: (message: FoundMessage) => goTo(messagePlace(message)),
    },
    contactLinks: {
      selectedId: at === null ? conversationId : null,
      hrefOf: (id: string) => pathOf(newestPlace(id)),
      open: (id: string) => goTo(newestPlace(id)),
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
      type("");
      box.current?.blur();
    },
  };
}
