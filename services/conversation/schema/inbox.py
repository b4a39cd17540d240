"""Tables of what people do with conversations: tags, counters, who has seen what, settings."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

from services.conversation.schema.columns import FOLDERS, id_column, metadata, time_column

tags = Table(
    "tags",
    metadata,
    id_column("workspace_id"),
    id_column("id"),
    Column("key", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("color", Text, nullable=False),
    Column("create_time", TIMESTAMP(timezone=True)),
    Column("is_deleted", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_tags"),
    CheckConstraint(
        "color IN ('gray', 'red', 'orange', 'amber', 'green', 'teal', 'blue', 'purple', 'pink')",
        name="ck_tags_color",
    ),
    Index(
        "uq_tags_key",
        "workspace_id",
        "key",
        unique=True,
        postgresql_where=text("NOT is_deleted"),
    ),
)
"""A built-in tag has a row from its first change on. A deleted one keeps its row for ever: its id
stays in `conversations.tag_ids`, and this row is what says that it means nothing."""

conversation_tags = Table(
    "conversation_tags",
    metadata,
    id_column("workspace_id"),
    id_column("conversation_id"),
    id_column("tag_id"),
    id_column("channel_id"),
    Column("channel_kind", Text, nullable=False),
    Column("folder", Text, nullable=False),
    time_column("last_activity_time"),
    Column("is_unread", Boolean, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", "tag_id", name="pk_conversation_tags"),
    Index(
        "ix_conversation_tags_inbox",
        "workspace_id",
        "tag_id",
        "folder",
        text("last_activity_time DESC"),
        text("conversation_id DESC"),
        postgresql_include=["channel_id", "channel_kind"],
    ),
    Index(
        "ix_conversation_tags_inbox_unread",
        "workspace_id",
        "tag_id",
        "folder",
        text("last_activity_time DESC"),
        text("conversation_id DESC"),
        postgresql_include=["channel_id", "channel_kind"],
        postgresql_where=text("is_unread"),
    ),
)
"""`conversations.tag_ids` spelled out, with all that a list of one tag sorts and filters by."""

counters = Table(
    "counters",
    metadata,
    id_column("workspace_id"),
    Column("kind", Text, nullable=False),
    id_column("subject_id"),
    Column("folder", Text, nullable=False),
    Column("conversation_count", BigInteger, nullable=False),
    Column("unread_count", BigInteger, nullable=False),
    Column("waiting_count", BigInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind", "subject_id", "folder", name="pk_counters"),
    CheckConstraint("kind IN ('folder', 'channel', 'tag')", name="ck_counters_kind"),
    CheckConstraint(f"folder IN ({FOLDERS})", name="ck_counters_folder"),
)
"""No check keeps them from falling below zero: PostgreSQL checks what an upsert would insert, and
that is a difference. The self-check sees to it."""

conversation_seen = Table(
    "conversation_seen",
    metadata,
    id_column("workspace_id"),
    id_column("conversation_id"),
    Column("member_id", Text, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    time_column("seen_time"),
    PrimaryKeyConstraint(
        "workspace_id", "conversation_id", "member_id", name="pk_conversation_seen"
    ),
)

drafts = Table(
    "drafts",
    metadata,
    id_column("workspace_id"),
    id_column("conversation_id"),
    Column("member_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    id_column("request_id"),
    time_column("update_time"),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", "member_id", name="pk_drafts"),
)
"""A deleted draft keeps its row, without a text: its version goes on."""

inbox_settings = Table(
    "inbox_settings",
    metadata,
    id_column("workspace_id"),
    Column("reopens_on_inbound", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="pk_inbox_settings"),
)

entity_requests = Table(
    "entity_requests",
    metadata,
    id_column("workspace_id"),
    id_column("request_id"),
    Column("method", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    id_column("entity_id"),
    time_column("create_time"),
    PrimaryKeyConstraint("workspace_id", "request_id", name="pk_entity_requests"),
)
"""Requests that changed something other than a conversation, and what each stood for."""
