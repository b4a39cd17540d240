"""What the tables have in common."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, MetaData, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = MetaData()

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)

CHANNEL_KINDS = "'web_chat', 'simulator', 'whatsapp', 'messenger', 'instagram', 'telegram'"
STATUSES = (
    "'queued', 'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed', "
    "'delivered', 'read'"
)


def failure_columns() -> list[Column[object]]:
    """Why something failed; all null when it did not."""
    return [
        Column("failure_reason", Text),
        Column("failure_platform_code", Text),
        Column("failure_is_retryable", Boolean),
        Column("failure_may_have_arrived", Boolean),
    ]
