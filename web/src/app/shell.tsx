/** The frame around every screen: the rail on the left from 768 px, and the banner of a broken line. */

import type { ComponentType, ReactNode } from "react";
import { useSession } from "../features/session";
import { Mark } from "../features/sign-in/card";
import { GearIcon, type IconProps, InboxIcon, PlugIcon } from "../ui/icons";
import { useViewportHeight } from "../ui/use-viewport-height";
import { LineBanner } from "./line-banner";
import { goTo, INBOX, pathOf, type Route, SETTINGS } from "./router";
import { useTitleBadge } from "./use-title-badge";
import { UserCorner } from "./user-button";

interface Place {
  label: string;
  icon: ComponentType<IconProps>;
  route: Route;
}

const PLACES: readonly Place[] = [
  { label: "Inbox", icon: InboxIcon, route: INBOX },
  { label: "Channels", icon: PlugIcon, route: { page: "channels" } },
];

export function Shell({ route, children }: { route: Route; children: ReactNode }) {
  useViewportHeight();
  useTitleBadge();
  const { member } = useSession();
  return (
    <div className="flex h-(--viewport-height,100dvh) w-full bg-canvas pr-[env(safe-area-inset-right)] pl-[env(safe-area-inset-left)]">
      <nav
        aria-label="Main"
        className="hidden w-16 shrink-0 flex-col items-center gap-1.5 py-3 md:flex"
      >
        <Mark className="mb-3 size-8" />
        {PLACES.map((place) => (
          <RailLink key={place.label} {...place} isHere={place.route.page === route.page} />
        ))}
        <span className="flex-1" />
        <RailLink
          label="Settings"
          icon={GearIcon}
          route={SETTINGS}
          isHere={route.page === "settings"}
        />
        <UserCorner member={member} side="right" />
      </nav>
      <div className="flex min-w-0 flex-1 flex-col">
        <LineBanner />
        <div className="flex min-h-0 flex-1">{children}</div>
      </div>
    </div>
  );
}

function RailLink({ label, icon: Icon, route, isHere }: Place & { isHere: boolean }) {
  return (
    <a
      href={pathOf(route)}
      aria-label={label}
      aria-current={isHere ? "page" : undefined}
      title={label}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        goTo(route);
      }}
      className={`grid size-11 place-items-center rounded-xl transition-colors ${
        isHere
          ? "bg-surface text-accent-text shadow-[0_1px_2px_var(--shadow)]"
          : "text-muted hover:bg-line hover:text-ink"
      }`}
    >
      <Icon />
    </a>
  );
}
