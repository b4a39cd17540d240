/** Leads through the settings: beside them on a wide screen, a row that scrolls on a narrow one. */

import { type ComponentType, useEffect, useRef } from "react";
import { useSession } from "../features/session";
import {
  BookIcon,
  type IconProps,
  InboxIcon,
  KeyIcon,
  PeopleIcon,
  PersonIcon,
  PulseIcon,
  ScrollIcon,
  SparkIcon,
} from "../ui/icons";
import { goTo, pathOf, type Route } from "./router";
import type { SettingsSection } from "./settings-address";

interface Entry {
  section: SettingsSection;
  text: string;
  icon: ComponentType<IconProps>;
  /** Of no use to others, so they do not find it here; by its address they are told why. */
  isForOwners?: boolean;
}

const ENTRIES: readonly Entry[] = [
  { section: "account", text: "Account", icon: PersonIcon },
  { section: "members", text: "Members", icon: PeopleIcon },
  { section: "knowledge", text: "Knowledge", icon: BookIcon },
  { section: "assistant", text: "AI", icon: SparkIcon },
  { section: "activity", text: "AI activity", icon: PulseIcon },
  { section: "inbox", text: "Inbox", icon: InboxIcon },
  { section: "keys", text: "API keys", icon: KeyIcon, isForOwners: true },
  { section: "audit", text: "Audit", icon: ScrollIcon, isForOwners: true },
];

export function SettingsNav({ section }: { section: SettingsSection }) {
  const { isOwner } = useSession();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current
      ?.querySelector(`[href="/settings/${section}"]`)
      ?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [section]);
  return (
    <nav aria-label="Settings" className="-mx-4 md:-mx-8 lg:mx-0 lg:w-44 lg:shrink-0">
      <ul
        ref={list}
        className="flex gap-1 overflow-x-auto px-4 py-1 md:px-8 lg:sticky lg:top-0 lg:flex-col lg:overflow-visible lg:px-0"
      >
        {ENTRIES.filter((entry) => isOwner || entry.isForOwners !== true).map((entry) => (
          <li key={entry.section}>
            <NavLink {...entry} isHere={entry.section === section} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function NavLink({ section, text, icon: Icon, isHere }: Entry & { isHere: boolean }) {
  const route: Route = { page: "settings", section, entry: null };
  return (
    <a
      href={pathOf(route)}
      aria-current={isHere ? "page" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        goTo(route, "replace");
      }}
      className={`flex min-h-11 items-center gap-2.5 rounded-lg px-3 text-sm font-medium whitespace-nowrap transition-colors lg:min-h-9 ${
        isHere ? "bg-selected text-accent-text" : "text-muted hover:bg-hover hover:text-ink"
      }`}
    >
      <Icon className="size-4.5" />
      {text}
    </a>
  );
}
