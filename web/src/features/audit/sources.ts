/** The services that keep an audit, and how each is asked. */

import type { Services } from "../../connection/rpc";
import { AssistantAuditService } from "../../gen/inbox/assistant/v1/assistant_audit_service_pb";
import { ConversationAuditService } from "../../gen/inbox/conversation/v1/conversation_audit_service_pb";
import { IdentityAuditService } from "../../gen/inbox/identity/v1/identity_audit_service_pb";
import { MediaAuditService } from "../../gen/inbox/media/v1/media_audit_service_pb";
import { MessagingAuditService } from "../../gen/inbox/messaging/v1/messaging_audit_service_pb";

const AUDITS = {
  identity: IdentityAuditService,
  conversation: ConversationAuditService,
  messaging: MessagingAuditService,
  media: MediaAuditService,
  assistant: AssistantAuditService,
} as const;

export type Domain = keyof typeof AUDITS;

export const DOMAINS = Object.keys(AUDITS) as Domain[];

export const DOMAIN_NAMES: Record<Domain, string> = {
  identity: "People and access",
  conversation: "Conversations",
  messaging: "Messages and channels",
  media: "Files",
  assistant: "The AI",
};

/** They differ by name only. */
export function auditOf(services: Services, domain: Domain) {
  return services.of(AUDITS[domain] as typeof IdentityAuditService);
}
