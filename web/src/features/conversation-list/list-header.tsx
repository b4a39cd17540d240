/** Which conversations the list shows: the four folders with their counters, and filters that combine. */

import type { ReactNode } from "react";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import { isFiltered, type ListQuery, listQuery, MOST_TAGS, NOBODY } from "../../inbox/list-query";
import { counterKey } from "../../inbox/merge";
import { PRIORITY } from "../../inbox/tags";
import { Chip } from "../../ui/chip";
import { CloseIcon, HandIcon, StarIcon } from "../../ui/icons";
import { Segments } from "../../ui/segments";
import { useInbox, useSession } from "../session";
import { TagDot, tagName } from "../tag-look";
import { useTags } from "../use-tags";

const FOLDERS = [
  { folder: Folder.OPEN, name: "Open" },
  { folder: Folder.SOLVED, name: "Solved" },
  { folder: Folder.SPAM, name: "Spam" },
  { folder: Folder.ARCHIVED, name: "Archived" },
];

interface HeaderProps {
  query: ListQuery;
  onChange: (query: ListQuery) => void;
}

export function FolderChoice({ query, onChange }: HeaderProps) {
  const counters = useInbox((snapshot) => snapshot.state.counters);
  return (
    <Segments
      label="Folder"
      value={String(query.folder)}
      onChange={(value) => onChange(listQuery(Number(value), query))}
      options={FOLDERS.map(({ folder, name }) => {
        const counter = counters.get(counterKey({ folder, channelId: "", tagId: "" }));
        return {
          value: String(folder),
          text: <Counted name={name} count={counter?.conversationCount ?? 0n} />,
        };
      })}
    />
  );
}

function Counted({ name, count }: { name: string; count: bigint }) {
  return (
    <span className="flex flex-col items-center py-1">
      <span>{name}</span>
      <span className="text-xs font-normal text-faint tabular-nums">{count.toLocaleString()}</span>
    </span>
  );
}

export function FilterChips({ query, onChange }: HeaderProps) {
  const { star, labels } = useTags();
  const counters = useInbox((snapshot) => snapshot.state.counters);
  const { member } = useSession();
  const { folder, isUnreadOnly, isWaitingOnly, assignee, tagKeys } = query;
  const inFolder = counters.get(counterKey({ folder, channelId: "", tagId: "" }));

  function change(part: Partial<ListQuery>) {
    onChange(listQuery(folder, { ...query, ...part }));
  }
  function toggleTag(key: string) {
    const others = tagKeys.filter((known) => known !== key);
    const isOn = others.length < tagKeys.length;
    change({ tagKeys: isOn ? others : [...others, key] });
  }
  function assigneeChip(name: string, whose: string) {
    const isOn = assignee === whose;
    return (
      <Chip isOn={isOn} onToggle={() => change({ assignee: isOn ? "" : whose })}>
        {name}
      </Chip>
    );
  }
  function tagChip(tag: { id: string; key: string }, icon: ReactNode, name: string) {
    const counter = counters.get(counterKey({ folder, channelId: "", tagId: tag.id }));
    const isOn = tagKeys.includes(tag.key);
    return (
      <Chip
        key={tag.id}
        icon={icon}
        count={counter?.conversationCount ?? 0n}
        isOn={isOn}
        isDisabled={!isOn && tagKeys.length >= MOST_TAGS}
        onToggle={() => toggleTag(tag.key)}
      >
        {name}
      </Chip>
    );
  }

  return (
    <fieldset className="-mx-4 flex min-w-0 gap-1.5 overflow-x-auto px-4 py-1 [scrollbar-width:none] md:max-h-24 md:flex-wrap md:overflow-y-auto md:[scrollbar-width:thin]">
      <legend className="sr-only">Filters</legend>
      <Chip
        count={inFolder?.unreadCount ?? 0n}
        isOn={isUnreadOnly}
        onToggle={() => change({ isUnreadOnly: !isUnreadOnly })}
      >
        Unread
      </Chip>
      {assigneeChip("Mine", member.id)}
      {assigneeChip("Unassigned", NOBODY)}
      <Chip
        icon={<HandIcon className="size-3.5" />}
        count={inFolder?.waitingCount ?? 0n}
        isOn={isWaitingOnly}
        onToggle={() => change({ isWaitingOnly: !isWaitingOnly })}
      >
        Waiting
      </Chip>
      {star !== null &&
        tagChip(
          star,
          <StarIcon className={`size-3.5 ${tagKeys.includes(PRIORITY) ? "fill-current" : ""}`} />,
          tagName(star),
        )}
      {labels.map((tag) => tagChip(tag, <TagDot color={tag.color} />, tagName(tag)))}
      {isFiltered(query) && (
        <Chip
          icon={<CloseIcon className="size-3.5" />}
          onToggle={() => onChange(listQuery(folder))}
        >
          Clear
        </Chip>
      )}
    </fieldset>
  );
}
