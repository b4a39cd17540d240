"""Tables of the AI; the migrations build them, a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID

metadata = MetaData()

ID = UUID(as_uuid=False)
TIME = DateTime(timezone=True)
LANGUAGES = "language IN ('english', 'spanish', 'portuguese')"

articles = Table(
    "articles",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_articles"),
    CheckConstraint(LANGUAGES, name="ck_articles_language"),
    Index(
        "ix_articles_list",
        "workspace_id",
        text("create_time DESC"),
        text("id DESC"),
        postgresql_where=text("NOT is_deleted"),
    ),
)

passages = Table(
    "passages",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("article_id", ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("search", TSVECTOR, nullable=False),
    PrimaryKeyConstraint("workspace_id", "article_id", "number", name="pk_passages"),
    ForeignKeyConstraint(
        ["workspace_id", "article_id"],
        ["articles.workspace_id", "articles.id"],
        name="fk_passages_article",
    ),
    CheckConstraint(LANGUAGES, name="ck_passages_language"),
)
"""A workspace has so few that a search walks all of its own: an index over words would know no
workspace, and lead through everybody's."""

assistant_settings = Table(
    "assistant_settings",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("api_key", LargeBinary),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="pk_assistant_settings"),
)

workspace_keys = Table(
    "workspace_keys",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="pk_workspace_keys"),
)
"""A workspace's data key, wrapped by the master key; it seals the key of its provider."""

request_ids = Table(
    "request_ids",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("request_id", ID, nullable=False),
    Column("method", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("entity_id", ID, nullable=False),
    Column("create_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "request_id", name="pk_request_ids"),
)

duties = Table(
    "duties",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("log_epoch", Text, nullable=False),
    Column("thread_version", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("mode_epoch", BigInteger, nullable=False),
    Column("inbound_count", BigInteger, nullable=False),
    Column("answered_ordinal", BigInteger, nullable=False),
    Column("first_time", TIME, nullable=False),
    Column("newest_time", TIME, nullable=False),
    Column("is_silenced", Boolean, nullable=False),
    Column("restart_count", Integer, nullable=False),
    Column("try_count", Integer, nullable=False),
    Column("due_time", TIME),
    Column("lease_until", TIME),
    Column("lease_owner", ID),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_duties"),
    CheckConstraint("mode IN ('ai', 'manual')", name="ck_duties_mode"),
    Index("ix_duties_due", "due_time", postgresql_where=text("due_time IS NOT NULL")),
)

turns = Table(
    "turns",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("seen_ordinal", BigInteger, nullable=False),
    Column("mode_epoch", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("provider_millis", BigInteger, nullable=False),
    Column("tool_calls", JSONB, nullable=False),
    Column("article_ids", ARRAY(ID), nullable=False),
    Column("decision", JSONB),
    Column("handover_reason", Text),
    Column("outcome", Text),
    Column("message_id", ID),
    Column("start_time", TIME, nullable=False),
    Column("end_time", TIME),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_turns"),
    CheckConstraint("(outcome IS NULL) = (end_time IS NULL)", name="ck_turns_outcome"),
    CheckConstraint("decision IS NULL OR end_time IS NULL", name="ck_turns_decision"),
    Index(
        "uq_turns_open",
        "workspace_id",
        "conversation_id",
        unique=True,
        postgresql_where=text("end_time IS NULL"),
    ),
    Index("ix_turns_list", "workspace_id", text("end_time DESC"), text("id DESC")),
    Index(
        "ix_turns_conversation",
        "workspace_id",
        "conversation_id",
        text("end_time DESC"),
        text("id DESC"),
    ),
)

collected_fields = Table(
    "collected_fields",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    Column("update_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", "key", name="pk_collected_fields"),
)
