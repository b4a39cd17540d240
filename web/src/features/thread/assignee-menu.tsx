/** Gives the conversation to a member to look after, or to nobody. Loaded beside the header. */

import type { ConversationView } from "../../inbox/views";
import { Avatar } from "../../ui/avatar";
import { PersonIcon } from "../../ui/icons";
import { Menu, MenuChoice } from "../../ui/menu";
import { useToast } from "../../ui/toast";
import { assignableOf } from "../assignee";
import { sayError } from "../say-error";
import { useInbox, useSession } from "../session";
import { AssigneeButton } from "./assignee-button";

export default function AssigneeMenu({
  conversation,
  isOpenAtFirst,
}: {
  conversation: ConversationView;
  isOpenAtFirst: boolean;
}) {
  const { inbox, member } = useSession();
  const toast = useToast();
  const members = useInbox((snapshot) => snapshot.state.members);
  const { id, assigneeId } = conversation;

  function assign(memberId: string) {
    inbox
      .assign(id, memberId)
      .catch((error: unknown) => toast({ text: sayError(error), tone: "danger" }));
  }

  return (
    <Menu
      align="start"
      isOpenAtFirst={isOpenAtFirst}
      trigger={<AssigneeButton assigneeId={assigneeId} />}
    >
      <MenuChoice
        value={assigneeId}
        onChange={assign}
        options={[
          { value: "", text: "Nobody", icon: <PersonIcon className="mx-0.5 size-5" /> },
          ...assignableOf(members.values(), member.id).map(({ id, displayName }) => ({
            value: id,
            text: id === member.id ? `${displayName} (you)` : displayName,
            icon: <Avatar name={displayName} colorKey={id} size="small" />,
          })),
        ]}
      />
    </Menu>
  );
}
