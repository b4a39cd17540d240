"""MessagingAuditService: who changed what in messaging."""

from __future__ import annotations

from chassis.audit_log import AuditLog
from inbox.messaging import v1


class MessagingAuditService(AuditLog, v1.MessagingAuditServiceServicer):
    """Who changed what in messaging."""
