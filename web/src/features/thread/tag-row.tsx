/** Who looks after the conversation, its tags, and the buttons that change them. */

import { lazy, Suspense, useState } from "react";
import type { ConversationView } from "../../inbox/views";
import { useSession } from "../session";
import { TagLabel } from "../tag-look";
import { useTags } from "../use-tags";
import { AssigneeButton, AssigneeName } from "./assignee-button";
import { TagButton } from "./menu-buttons";

const AssigneeMenu = lazy(() => import("./assignee-menu"));
const TagMenu = lazy(() => import("./tag-menu"));

export function TagRow({ conversation }: { conversation: ConversationView }) {
  const { canWrite } = useSession();
  const { labels } = useTags();
  const [isWanted, setIsWanted] = useState(false);
  const [isAssigneeWanted, setIsAssigneeWanted] = useState(false);
  const { assigneeId } = conversation;
  const own = labels.filter((tag) => conversation.tagIds.includes(tag.id));
  if (own.length === 0 && assigneeId === "" && !canWrite) return null;
  return (
    <div className="flex flex-wrap items-center gap-1.5 bg-surface px-4 pt-0.5 pb-2 md:px-5">
      {canWrite ? (
        <Suspense
          fallback={
            <AssigneeButton assigneeId={assigneeId} onClick={() => setIsAssigneeWanted(true)} />
          }
        >
          <AssigneeMenu conversation={conversation} isOpenAtFirst={isAssigneeWanted} />
        </Suspense>
      ) : (
        assigneeId !== "" && (
          <span className="flex items-center gap-1 text-xs text-muted">
            <AssigneeName assigneeId={assigneeId} />
          </span>
        )
      )}
      {own.length > 0 && (
        <ul aria-label="Tags" className="contents">
          {own.map((tag) => (
            <li key={tag.id} className="flex min-w-0">
              <TagLabel tag={tag} />
            </li>
          ))}
        </ul>
      )}
      {canWrite && (
        <Suspense fallback={<TagButton onClick={() => setIsWanted(true)} />}>
          <TagMenu conversation={conversation} isOpenAtFirst={isWanted} />
        </Suspense>
      )}
    </div>
  );
}
