/** What roles are called. */

import { Role } from "../../gen/inbox/policy/v1/policy_pb";

export const ROLE_NAMES: Record<Role, string> = {
  [Role.UNSPECIFIED]: "None",
  [Role.OWNER]: "Owner",
  [Role.AGENT]: "Agent",
  [Role.READ_ONLY]: "Read-only",
  [Role.BOT]: "Bot",
  [Role.SERVICE]: "Service",
  [Role.VISITOR]: "Visitor",
};

export function choices(roles: readonly Role[]): { value: string; text: string }[] {
  return roles.map((role) => ({ value: String(role), text: ROLE_NAMES[role] }));
}

export const MEMBER_ROLES = [Role.AGENT, Role.OWNER, Role.READ_ONLY] as const;
export const KEY_ROLES = [Role.AGENT, Role.READ_ONLY, Role.BOT, Role.OWNER, Role.SERVICE] as const;
