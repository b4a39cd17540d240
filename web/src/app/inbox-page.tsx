/** List and conversation: one pane below 768 px, two above. */

import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { ConversationList } from "../features/conversation-list/conversation-list";
import { FilterChips, FolderChoice } from "../features/conversation-list/list-header";
import { SearchBox } from "../features/search/search-box";
import { SearchResults } from "../features/search/search-results";
import { useInbox, useSession } from "../features/session";
import { keyOf, type ListQuery, listQuery } from "../inbox/list-query";
import { ChatIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { useHasRoomBeside } from "../ui/use-has-room-beside";
import { ConversationPane } from "./conversation-pane";
import { goBack, goTo, type InboxRoute, pathOf } from "./router";
import { useHandoverNotice } from "./use-handover-notice";
import { useSearch } from "./use-search";
import { UserCorner } from "./user-button";

const ContactPanel = lazy(() => import("../features/contact/contact-panel"));

export function InboxPage({ route }: { route: InboxRoute }) {
  const { inbox, member } = useSession();
  const { list, conversationId } = route;
  const search = useSearch(route);
  const { isOn } = search;
  const [isContactShown, setIsContactShown] = useState(false);
  const hasContact = useInbox(
    ({ state }) =>
      conversationId !== null &&
      (state.conversations.has(conversationId) || state.erasedConversations.has(conversationId)),
  );
  const hrefOf = useCallback((id: string) => pathOf(newestOf(list, id)), [list]);
  const open = useCallback((id: string) => goTo(newestOf(list, id)), [list]);
  useEffect(() => {
    inbox.showList(list);
  }, [inbox, list]);
  useHandoverNotice(conversationId, open);
  const isBeside = useHasRoomBeside();
  function goFromPanel(next: InboxRoute) {
    // Over the conversation it would hide what it leads to.
    if (!isBeside) setIsContactShown(false);
    goTo(next);
  }
  const show = (next: ListQuery) => goTo({ ...route, list: next });

  const isPhoneList = conversationId === null;
  return (
    <main className="flex min-w-0 flex-1">
      {/* For every pane that may be the only one. */}
      <h1 className="sr-only">Inbox</h1>
      <section
        aria-label="Conversations"
        className={`${isPhoneList ? "flex" : "hidden md:flex"} min-w-0 flex-1 flex-col bg-surface pb-[env(safe-area-inset-bottom)] md:w-80 md:max-w-[42vw] md:flex-none md:border-x md:border-line xl:w-92`}
      >
        <header className="flex flex-col gap-2 px-4 pt-3 pb-2">
          <div className="flex min-h-9 items-center gap-3">
            {!isOn && (
              <p aria-hidden="true" className="text-xl font-semibold tracking-tight">
                Inbox
              </p>
            )}
            <SearchBox
              text={search.text}
              box={search.box}
              onType={search.type}
              onDown={search.toResults}
            />
            <div className={isOn ? "hidden" : "-mr-1.5 md:hidden"}>
              <UserCorner member={member} side="bottom" />
            </div>
          </div>
          {!isOn && (
            <>
              <FolderChoice query={list} onChange={show} />
              <FilterChips query={list} onChange={show} />
            </>
          )}
        </header>
        {isOn ? (
          <SearchResults
            messages={search.messages}
            contacts={search.contacts}
            results={search.results}
            links={search.links}
            contactLinks={search.contactLinks}
            onLeave={search.leave}
          />
        ) : (
          <ConversationList
            key={keyOf(list)}
            query={list}
            selectedId={conversationId}
            hrefOf={hrefOf}
            onOpen={open}
            onClear={() => show(listQuery(list.folder))}
          />
        )}
      </section>
      <section
        aria-label="Conversation"
        className={`${isPhoneList ? "hidden md:flex" : "flex"} min-w-0 flex-1 flex-col bg-sunken`}
      >
        {conversationId === null ? (
          <EmptyState icon={<ChatIcon className="size-7" />} title="No conversation selected">
            Choose one from the list to read it and to answer.
          </EmptyState>
        ) : (
          <ConversationPane
            key={conversationId}
            id={conversationId}
            at={route.at}
            isContactShown={isContactShown}
            onContact={() => setIsContactShown(!isContactShown)}
            onNewest={() => goTo(newestOf(list, conversationId), "replace")}
            onBack={() => goBack(newestOf(list, null))}
            onLeave={() => goTo(newestOf(list, null))}
          />
        )}
      </section>
      {isContactShown && conversationId !== null && hasContact && (
        <Suspense>
          <ContactPanel
            conversationId={conversationId}
            hrefOf={hrefOf}
            onOpen={(id) => goFromPanel(newestOf(list, id))}
            onOpenMessage={(id, seq) => goFromPanel({ ...newestOf(list, id), at: { seq } })}
            onClose={() => setIsContactShown(false)}
          />
        </Suspense>
      )}
    </main>
  );
}

function newestOf(list: ListQuery, conversationId: string | null): InboxRoute {
  return { page: "inbox", list, conversationId, at: null };
}
