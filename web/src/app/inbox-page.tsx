/** List and conversation: one pane below 768 px, two above. */

import { useCallback, useEffect } from "react";
import { ConversationList } from "../features/conversation-list/conversation-list";
import { useSession } from "../features/session";
import { Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import { ChatIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { Segments } from "../ui/segments";
import { ConversationPane } from "./conversation-pane";
import { type FolderName, goBack, goTo, pathOf, type Route } from "./router";
import { UserCorner } from "./user-button";

const FOLDERS: Record<FolderName, Folder> = { open: Folder.OPEN, solved: Folder.SOLVED };

export function InboxPage({ route }: { route: Extract<Route, { page: "inbox" }> }) {
  const { inbox, member } = useSession();
  const { folder, conversationId } = route;
  const hrefOf = useCallback(
    (id: string) => pathOf({ page: "inbox", folder, conversationId: id }),
    [folder],
  );
  const open = useCallback(
    (id: string) => goTo({ page: "inbox", folder, conversationId: id }),
    [folder],
  );
  useEffect(() => {
    inbox.showFolder(FOLDERS[folder]).catch(() => {
      // The list shows its own button to try again.
    });
  }, [inbox, folder]);

  const isPhoneList = conversationId === null;
  return (
    <>
      <section
        aria-label="Conversations"
        className={`${isPhoneList ? "flex" : "hidden md:flex"} min-w-0 flex-1 flex-col bg-surface pb-[env(safe-area-inset-bottom)] md:w-80 md:max-w-[42vw] md:flex-none md:border-x md:border-line xl:w-92`}
      >
        <header className="flex flex-col gap-3 px-4 pt-3 pb-3">
          <div className="flex min-h-9 items-center justify-between">
            <h1 className="text-xl font-semibold tracking-tight">Inbox</h1>
            <div className="md:hidden">
              <UserCorner member={member} side="bottom" />
            </div>
          </div>
          <Segments
            label="Folder"
            value={folder}
            onChange={(value) => goTo({ page: "inbox", folder: value, conversationId })}
            options={[
              { value: "open", text: "Open" },
              { value: "solved", text: "Solved" },
            ]}
          />
        </header>
        <ConversationList
          key={folder}
          folder={FOLDERS[folder]}
          selectedId={conversationId}
          hrefOf={hrefOf}
          onOpen={open}
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
            onBack={() => goBack({ page: "inbox", folder, conversationId: null })}
          />
        )}
      </main>
    </>
  );
}
