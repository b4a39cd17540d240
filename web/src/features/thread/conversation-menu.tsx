/** What is done with a conversation less often: other folders, unread again, what the AI did. Loaded beside the header. */

import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import type { ConversationView } from "../../inbox/views";
import { ArchiveIcon, DotIcon, InboxIcon, PulseIcon, SpamIcon } from "../../ui/icons";
import { Menu, MenuItem, MenuLine } from "../../ui/menu";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";
import { MoreButton } from "./menu-buttons";
import { useMove } from "./use-move";

const PLACES = [
  { folder: Folder.OPEN, text: "Move to Open", icon: InboxIcon },
  { folder: Folder.ARCHIVED, text: "Move to Archived", icon: ArchiveIcon },
  { folder: Folder.SPAM, text: "Move to Spam", icon: SpamIcon },
];

export default function ConversationMenu({
  conversation,
  isOpenAtFirst,
  onActivity,
  onLeave,
}: {
  conversation: ConversationView;
  isOpenAtFirst: boolean;
  onActivity: () => void;
  onLeave: () => void;
}) {
  const { inbox, canWrite } = useSession();
  const toast = useToast();
  const move = useMove(conversation);

  function markUnread() {
    // Whoever still looks at it would have it read again at once.
    onLeave();
    inbox
      .markUnread(conversation.id)
      .catch(() => toast({ text: "Could not mark it as unread. Try again.", tone: "danger" }));
  }

  return (
    <Menu isOpenAtFirst={isOpenAtFirst} trigger={<MoreButton />}>
      {canWrite && conversation.inboundCount > 0n && (
        <>
          <MenuItem icon={<DotIcon className="size-4.5" />} onSelect={markUnread}>
            Mark as unread
          </MenuItem>
          <MenuLine />
        </>
      )}
      {canWrite &&
        PLACES.filter(({ folder }) => folder !== conversation.folder).map(
          ({ folder, text, icon: Icon }) => (
            <MenuItem
              key={folder}
              icon={<Icon className="size-4.5" />}
              onSelect={() => move(folder)}
            >
              {text}
            </MenuItem>
          ),
        )}
      {canWrite && <MenuLine />}
      <MenuItem icon={<PulseIcon className="size-4.5" />} onSelect={onActivity}>
        AI activity
      </MenuItem>
    </Menu>
  );
}
