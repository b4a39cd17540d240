/** Somebody came to a place of the owners: what it is, and whom to ask. */

import { MemberState } from "../gen/inbox/identity/v1/identity_pb";
import { Role } from "../gen/inbox/policy/v1/policy_pb";
import { KeyIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { useInbox } from "./session";

const OR = new Intl.ListFormat("en", { type: "disjunction" });

export function OwnersOnly({ what }: { what: string }) {
  return (
    <EmptyState icon={<KeyIcon className="size-7" />} title="This is for owners">
      <OwnersOnlyText what={what} />
    </EmptyState>
  );
}

/** The same in one line, beside what everybody may do. */
export function OwnersOnlyText({ what }: { what: string }) {
  const members = useInbox((snapshot) => snapshot.state.members);
  const owners = [...members.values()]
    .filter((member) => member.role === Role.OWNER && member.state === MemberState.ACTIVE)
    .map((member) => member.displayName);
  return `${owners.length === 0 ? "Only owners" : `Ask ${OR.format(owners)}: only owners`} ${what}.`;
}
