"""Tables of conversations."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from services.conversation.schema.columns import id_column, metadata, time_column

conversations = Table(
    "conversations",
    metadata,
    id_column("workspace_id"),
    id_column("id"),
    id_column("contact_id"),
    id_column("channel_id"),
    Column("channel_kind", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("preview_seq", BigInteger),
    Column("preview_author_kind", Text),
    Column("preview_text", Text),
    Column("preview_create_time", DateTime(timezone=True)),
    Column("inbound_count", BigInteger, nullable=False),
    Column("read_ordinal", BigInteger, nullable=False),
    Column("solved_ordinal", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("mode_epoch", BigInteger, nullable=False),
    Column("log_epoch", Text, nullable=False),
    Column(
        "last_activity_time",
        DateTime(timezone=True),
        Computed("COALESCE(preview_create_time, create_time)", persisted=True),
        nullable=False,
    ),
    time_column("create_time"),
    Column("version", BigInteger, nullable=False),
    Column("tag_ids", ARRAY(UUID(as_uuid=False)), nullable=False, server_default="{}"),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_conversations"),
    ForeignKeyConstraint(
        ["workspace_id", "contact_id"],
        ["contacts.workspace_id", "contacts.id"],
        name="fk_conversations_contact",
    ),
    CheckConstraint(
        "folder IN ('open', 'solved', 'spam', 'archived')", name="ck_conversations_folder"
    ),
    CheckConstraint("mode IN ('ai', 'manual')", name="ck_conversations_mode"),
    CheckConstraint(
        "num_nulls(preview_seq, preview_author_kind, preview_text, preview_create_time) IN (0, 4)",
        name="ck_conversations_preview",
    ),
    Index(
        "ix_conversations_inbox",
        "workspace_id",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
    ),
    Index(
        "ix_conversations_inbox_unread",
        "workspace_id",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
        postgresql_where=text("inbound_count > read_ordinal"),
    ),
    Index(
        "ix_conversations_channel",
        "workspace_id",
        "channel_id",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
    ),
    Index(
        "ix_conversations_channel_unread",
        "workspace_id",
        "channel_id",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
        postgresql_where=text("inbound_count > read_ordinal"),
    ),
    Index(
        "ix_conversations_kind",
        "workspace_id",
        "channel_kind",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
    ),
    Index(
        "ix_conversations_kind_unread",
        "workspace_id",
        "channel_kind",
        "folder",
        text("last_activity_time DESC"),
        text("id DESC"),
        postgresql_where=text("inbound_count > read_ordinal"),
    ),
    Index("ix_conversations_contact", "workspace_id", "contact_id"),
)

command_requests = Table(
    "command_requests",
    metadata,
    id_column("workspace_id"),
    id_column("request_id"),
    Column("command", Text, nullable=False),
    id_column("conversation_id"),
    time_column("create_time"),
    PrimaryKeyConstraint("workspace_id", "request_id", name="pk_command_requests"),
)
"""Commands that changed something: a repeat that comes late must not undo what happened since."""
