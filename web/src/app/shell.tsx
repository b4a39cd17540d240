/** The frame around every screen: the rail on the left from 768 px, and the banner of a broken line. */

import type { ReactNode } from "react";
import { useSession } from "../features/session";
import { Mark } from "../features/sign-in/card";
import { type ChatIcon, InboxIcon, PlugIcon } from "../ui/icons";
import { useViewportHeight } from "../ui/use-viewport-height";
import { LineBanner } from "./line-banner";
import { goTo, pathOf, type Route } from "./router";
import { useTitleBadge } from "./use-title-badge";
import { UserCorner } from "./user-button";

const PLACES: readonly { label: string; icon: typeof ChatIcon; route: Route }[] = [
  {
    label: "Inbox",
    icon: InboxIcon,
    route: { page: "inbox", folder: "open", conversationId: null },
  },
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
        {PLACES.map(({ label, icon: Icon, route: target }) => {
          const isHere = target.page === route.page;
          return (
            <a
              key={label}
              href={pathOf(target)}
              aria-label={label}
              aria-current={isHere ? "page" : undefined}
              title={label}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey) return;
                event.preventDefault();
                goTo(target);
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
        })}
        <span className="flex-1" />
        <UserCorner member={member} side="right" />
      </nav>
      <div className="flex min-w-0 flex-1 flex-col">
        <LineBanner />
        <div className="flex min-h-0 flex-1">{children}</div>
      </div>
    </div>
  );
}
