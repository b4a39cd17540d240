"""The gRPC face of conversation's audit."""

from __future__ import annotations

from chassis.audit_log import AuditLog
from inbox.conversation import v1 as conversation_v1


class ConversationAuditService(AuditLog, conversation_v1.ConversationAuditServiceServicer):
    """Who changed what in conversation."""
