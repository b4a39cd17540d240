/** The member's own menu: other places on a phone, theme, signing out. */

import { useSession } from "../features/session";
import type { Member } from "../gen/inbox/identity/v1/identity_pb";
import { DoorIcon, GearIcon, MoonIcon, PlugIcon, ScreenIcon, SunIcon } from "../ui/icons";
import { Menu, MenuChoice, MenuItem, MenuLine } from "../ui/menu";
import { type Theme, useTheme } from "../ui/theme";
import { useToast } from "../ui/toast";
import { goTo, SETTINGS } from "./router";
import { UserButton } from "./user-button";

const THEMES = [
  { value: "system", text: "Like the system", icon: <ScreenIcon className="size-4.5" /> },
  { value: "light", text: "Light", icon: <SunIcon className="size-4.5" /> },
  { value: "dark", text: "Dark", icon: <MoonIcon className="size-4.5" /> },
];

export default function UserMenu({
  member,
  side,
  isOpenAtFirst,
}: {
  member: Member;
  side: "bottom" | "right";
  isOpenAtFirst: boolean;
}) {
  const session = useSession();
  const toast = useToast();
  const [theme, setTheme] = useTheme();
  return (
    <Menu
      side={side}
      align="end"
      isOpenAtFirst={isOpenAtFirst}
      trigger={<UserButton member={member} />}
    >
      <div className="px-2.5 pt-1.5 pb-2">
        <p className="truncate font-semibold">{member.displayName}</p>
        <p className="truncate text-xs text-muted">{member.email}</p>
      </div>
      <MenuLine />
      <MenuItem
        icon={<PlugIcon className="size-4.5" />}
        onSelect={() => goTo({ page: "channels" })}
      >
        Channels
      </MenuItem>
      <MenuItem icon={<GearIcon className="size-4.5" />} onSelect={() => goTo(SETTINGS)}>
        Settings
      </MenuItem>
      <MenuLine />
      <MenuChoice value={theme} onChange={(value) => setTheme(value as Theme)} options={THEMES} />
      <MenuLine />
      <MenuItem
        icon={<DoorIcon className="size-4.5" />}
        onSelect={() => {
          session.signOut().catch(() =>
            toast({
              text: "You are still signed in: Inbox could not be reached.",
              tone: "danger",
            }),
          );
        }}
      >
        Sign out
      </MenuItem>
    </Menu>
  );
}
