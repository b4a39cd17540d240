/** Who may look after a conversation, and how they are called. */

import { type Member, MemberState } from "../gen/inbox/identity/v1/identity_pb";
import { Role } from "../gen/inbox/policy/v1/policy_pb";

/** Active owners and agents by name, oneself first. */
export function assignableOf(members: Iterable<Member>, ownId: string): Member[] {
  return [...members]
    .filter(
      ({ state, role }) => state === MemberState.ACTIVE && [Role.OWNER, Role.AGENT].includes(role),
    )
    .sort(
      (a, b) =>
        Number(b.id === ownId) - Number(a.id === ownId) ||
        a.displayName.localeCompare(b.displayName) ||
        (a.id < b.id ? -1 : 1),
    );
}

/** Empty for nobody. */
export function memberName(
  members: ReadonlyMap<string, Member>,
  id: string,
  ownId: string,
): string {
  if (id === "") return "";
  return id === ownId ? "You" : (members.get(id)?.displayName ?? "A colleague");
}
