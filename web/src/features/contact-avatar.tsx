/** A customer: initials, or a figure for somebody who gave no name; the channel in the corner. */

import type { ConversationView } from "../inbox/views";
import { Avatar } from "../ui/avatar";
import { PersonIcon } from "../ui/icons";
import { ChannelBadge } from "./channel-kind";
import { nameOf } from "./contact-name";

export function ContactAvatar({
  conversation,
  size,
}: {
  conversation: ConversationView;
  size?: "medium" | "large";
}) {
  return (
    <Avatar
      name={nameOf(conversation)}
      colorKey={conversation.id}
      size={size}
      badge={<ChannelBadge kind={conversation.channelKind} />}
      icon={conversation.contactName.trim() === "" ? <PersonIcon /> : undefined}
    />
  );
}
