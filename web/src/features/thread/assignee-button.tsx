/** Who looks after the conversation, as the button of its menu; stands there before the menu itself is loaded. */

import type { ComponentProps } from "react";
import { Avatar } from "../../ui/avatar";
import { PersonIcon } from "../../ui/icons";
import { memberName } from "../assignee";
import { useInbox, useSession } from "../session";

export function AssigneeButton({
  assigneeId,
  ...rest
}: { assigneeId: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      {...rest}
      className="relative inline-flex min-h-6 min-w-0 items-center gap-1 rounded-md px-1.5 text-xs font-medium text-muted transition-colors hover:bg-hover hover:text-ink max-md:after:absolute max-md:after:-inset-2.5"
    >
      <AssigneeName assigneeId={assigneeId} />
    </button>
  );
}

export function AssigneeName({ assigneeId }: { assigneeId: string }) {
  const { member } = useSession();
  const members = useInbox((snapshot) => snapshot.state.members);
  if (assigneeId === "") {
    return (
      <>
        <PersonIcon className="size-3.5" />
        Assign
      </>
    );
  }
  const own = members.get(assigneeId)?.displayName ?? "?";
  return (
    <>
      <span className="sr-only">Assigned to</span>
      <Avatar name={own} colorKey={assigneeId} size="tiny" />
      <span className="max-w-32 truncate">{memberName(members, assigneeId, member.id)}</span>
    </>
  );
}
