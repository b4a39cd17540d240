/** List and conversation: one pane below 768 px, two above. */

import { useCallback, useEffect } from "react";
import { ConversationList } from "../features/conversation-list/conversation-list";
import { FilterChips, FolderChoice } from "../features/conversation-list/list-header";
import { useSession } from "../features/session";
import { keyOf, type ListQuery, listQuery } from "../inbox/list-query";
import { ChatIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { ConversationPane } from "./conversation-pane";
import { goBack, goTo, pathOf, type Route } from "./router";
import { useHandoverNotice } from "./use-handover-notice";
import { UserCorner } from "./user-button";

export function InboxPage({ route }: { route: Extract<Route, { page: "inbox" }> }) {
  const { inbox, member } = useSession();
  const { list, conversationId } = route;
  const hrefOf = useCallback(
    (id: string) => pathOf({ page: "inbox", list, conversationId: id }),
    [list],
  );
  const open = useCallback(
    (id: string) => goTo({ page: "inbox", list, conversationId: id }),
    [list],
  );
  useEffect(() => {
    inbox.showList(list);
  }, [inbox, list]);
  useHandoverNotice(conversationId, open);
  const show = (next: ListQuery) => goTo({ page: "inbox", list: next, conversationId });

  const isPhoneList = conversationId === null;
  return (
    <>
      <section
        aria-label="Conversations"
        className={`${isPhoneList ? "flex" : "hidden md:flex"} min-w-0 flex-1 flex-col bg-surface pb-[env(safe-area-inset-bottom)] md:w-80 md:max-w-[42vw] md:flex-none md:border-x md:border-line xl:w-92`}
      >
        <header className="flex flex-col gap-2 px-4 pt-3 pb-2">
          <div className="flex min-h-9 items-center justify-between">
            <h1 className="text-xl font-semibold tracking-tight">Inbox</h1>
            <div className="md:hidden">
              <UserCorner member={member} side="bottom" />
            </div>
          </div>
          <FolderChoice query={list} onChange={show} />
          <FilterChips query={list} onChange={show} />
        </header>
        <ConversationList
          key={keyOf(list)}
          query={list}
          selectedId={conversationId}
          hrefOf={hrefOf}
          onOpen={open}
          onClear={() => show(listQuery(list.folder))}
        />
      </section>
      <main
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
            onBack={() => goBack({ page: "inbox", list, conversationId: null })}
            onLeave={() => goTo({ page: "inbox", list, conversationId: null })}
          />
        )}
      </main>
    </>
  );
}
