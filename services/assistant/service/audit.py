"""AssistantAuditService: who changed what of the AI."""

from __future__ import annotations

from chassis.audit_log import AuditLog
from inbox.assistant import v1


class AssistantAuditService(AuditLog, v1.AssistantAuditServiceServicer):
    """Who changed what of the AI."""
