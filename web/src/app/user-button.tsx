/** The member's avatar as the button of their menu; stands there before the menu itself is loaded. */

import { type ComponentProps, lazy, Suspense, useState } from "react";
import type { Member } from "../gen/inbox/identity/v1/identity_pb";
import { Avatar } from "../ui/avatar";

const UserMenu = lazy(() => import("./user-menu"));

export function UserButton({ member, ...rest }: { member: Member } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={`Menu of ${member.displayName}`}
      {...rest}
      className="grid size-11 place-items-center rounded-xl transition-colors hover:bg-line"
    >
      <Avatar name={member.displayName} colorKey={member.id} />
    </button>
  );
}

export function UserCorner({ member, side }: { member: Member; side: "bottom" | "right" }) {
  // Whoever clicks before the menu is loaded gets it as soon as it is.
  const [isWanted, setIsWanted] = useState(false);
  return (
    <Suspense fallback={<UserButton member={member} onClick={() => setIsWanted(true)} />}>
      <UserMenu member={member} side={side} isOpenAtFirst={isWanted} />
    </Suspense>
  );
}
