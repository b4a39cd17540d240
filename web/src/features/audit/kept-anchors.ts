/**
 * How far this browser saw each chain verified. Whoever can rewrite the database can compute a whole chain anew, and only
 * what is kept elsewhere tells: so the next look asks whether the chain still leads through this place.
 */

import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { readItem, removeItem, writeItem } from "../../connection/local-storage";
import { type AuditAnchor, AuditAnchorSchema } from "../../gen/inbox/audit/v1/audit_pb";

export interface KeptAnchor {
  readonly anchor: AuditAnchor;
  readonly seenAt: Date;
}

function keyOf(workspaceId: string, domain: string): string {
  return `inbox.audit-anchor.${workspaceId}.${domain}`;
}

export function keptAnchor(workspaceId: string, domain: string): KeptAnchor | null {
  try {
    const kept = JSON.parse(readItem(keyOf(workspaceId, domain)) ?? "null") as {
      anchor: JsonValue;
      seenAt: number;
    } | null;
    if (kept === null) return null;
    return { anchor: fromJson(AuditAnchorSchema, kept.anchor), seenAt: new Date(kept.seenAt) };
  } catch {
    // Not ours, or of another version of this client.
    return null;
  }
}

export function keepAnchor(
  workspaceId: string,
  domain: string,
  anchor: AuditAnchor,
  nowMillis: number,
): void {
  // An empty chain proves nothing later.
  if (anchor.position === 0n) return;
  const kept = { anchor: toJson(AuditAnchorSchema, anchor), seenAt: nowMillis };
  writeItem(keyOf(workspaceId, domain), JSON.stringify(kept));
}

/** After a backup was put back, the chain is rightly another one. */
export function forgetAnchor(workspaceId: string, domain: string): void {
  removeItem(keyOf(workspaceId, domain));
}
