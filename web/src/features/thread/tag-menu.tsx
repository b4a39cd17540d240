/** Gives the conversation tags, takes them away, and makes new ones. Loaded beside the header. */

import { useState } from "react";
import type { ConversationView } from "../../inbox/views";
import { PlusIcon } from "../../ui/icons";
import { Menu, MenuCheck, MenuItem, MenuLine } from "../../ui/menu";
import { TagDot, tagName } from "../tag-look";
import { useTags } from "../use-tags";
import { TagButton } from "./menu-buttons";
import { NewTagDialog } from "./new-tag-dialog";
import { useTagging } from "./use-tagging";

export default function TagMenu({
  conversation,
  isOpenAtFirst,
}: {
  conversation: ConversationView;
  isOpenAtFirst: boolean;
}) {
  const { labels } = useTags();
  const setTag = useTagging(conversation.id);
  const [isCreating, setIsCreating] = useState(false);
  return (
    <>
      <Menu align="start" isOpenAtFirst={isOpenAtFirst} trigger={<TagButton />}>
        {labels.map((tag) => (
          <MenuCheck
            key={tag.id}
            icon={<TagDot color={tag.color} />}
            isOn={conversation.tagIds.includes(tag.id)}
            onChange={(isOn) => setTag(tag.id, isOn)}
          >
            {tagName(tag)}
          </MenuCheck>
        ))}
        {labels.length > 0 && <MenuLine />}
        <MenuItem icon={<PlusIcon className="size-4.5" />} onSelect={() => setIsCreating(true)}>
          New tag…
        </MenuItem>
      </Menu>
      {isCreating && (
        <NewTagDialog
          onClose={() => setIsCreating(false)}
          onCreated={(tagId) => {
            setIsCreating(false);
            setTag(tagId, true);
          }}
        />
      )}
    </>
  );
}
