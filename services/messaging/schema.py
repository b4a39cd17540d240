"""The tables of messaging; read by store and compared with the migrations by a test.

Rows of messages, attempts and receipts have no foreign keys: they are written only under the lock
of their thread's row and never deleted alone, and a check per row would cost the hot path a tenth.
Fill factors leave room on the page, so that updates of unindexed columns stay HOT.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

metadata = MetaData()

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)

CHANNEL_KINDS = "'web_chat', 'simulator', 'whatsapp', 'messenger', 'instagram', 'telegram'"
STATUSES = (
    "'queued', 'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed', "
    "'delivered', 'read'"
)


def _failure_columns() -> list[Column[object]]:
    return [
        Column("failure_reason", Text),
        Column("failure_platform_code", Text),
        Column("failure_is_retryable", Boolean),
        Column("failure_may_have_arrived", Boolean),
    ]


threads = Table(
    "threads",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("channel_kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("customer_name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("mode_epoch", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("inbound_count", BigInteger, nullable=False),
    Column("last_message_time", TIME),
    Column("create_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_threads"),
    UniqueConstraint("workspace_id", "channel_id", "external_id", name="uq_threads_external_id"),
    CheckConstraint(f"channel_kind IN ({CHANNEL_KINDS})", name="ck_threads_channel_kind"),
    CheckConstraint("mode IN ('ai', 'manual')", name="ck_threads_mode"),
)

messages = Table(
    "messages",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", ID, nullable=False),
    Column("client_message_id", ID, nullable=False),
    Column("direction", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_display_name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("delivery_status", Text),
    *_failure_columns(),
    Column("attempt_count", Integer, nullable=False),
    Column("inbound_ordinal", BigInteger, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("platform_time", TIME),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", "seq", name="pk_messages"),
    UniqueConstraint("workspace_id", "id", name="uq_messages_id"),
    UniqueConstraint("workspace_id", "client_message_id", name="uq_messages_client_message_id"),
    CheckConstraint("direction IN ('inbound', 'outbound')", name="ck_messages_direction"),
    CheckConstraint(
        "author_kind IN ('customer', 'member', 'ai', 'phone_app', 'system')",
        name="ck_messages_author_kind",
    ),
    CheckConstraint(f"delivery_status IN ({STATUSES})", name="ck_messages_delivery_status"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("channel_id", ID, nullable=False),
    # The maximum over the attempt's evidence.
    Column("delivery_status", Text, nullable=False),
    *_failure_columns(),
    # An outcome is still owed: the dispatcher's index, so that receipts afterwards stay HOT.
    Column("is_open", Boolean, nullable=False),
    Column("is_cancelled", Boolean, nullable=False, server_default=text("false")),
    # The same for every attempt of a message, so that a channel can drop a repeat.
    Column("channel_key", Text, nullable=False),
    Column("platform_message_id", Text),
    # Calls made so far within this attempt.
    Column("try_count", Integer, nullable=False, server_default=text("0")),
    # When the first call of this attempt began.
    Column("first_try_time", TIME),
    # When the platform answered.
    Column("answer_time", TIME),
    # The lane's fence under which the intent was committed.
    Column("fence", BigInteger),
    Column("create_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "message_id", "number", name="pk_attempts"),
    CheckConstraint(f"delivery_status IN ({STATUSES})", name="ck_attempts_delivery_status"),
    Index(
        "ix_attempts_open",
        "workspace_id",
        "conversation_id",
        "seq",
        "number",
        postgresql_where=text("is_open"),
    ),
    Index(
        "uq_attempts_platform_message_id",
        "workspace_id",
        "channel_id",
        "platform_message_id",
        unique=True,
        postgresql_where=text("platform_message_id IS NOT NULL"),
    ),
)

receipts = Table(
    "receipts",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    # In the order they came.
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("id", ID, nullable=False),
    Column("attempt_number", Integer, nullable=False),
    Column("delivery_status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("platform_message_id", Text),
    *_failure_columns(),
    Column("author_kind", Text),
    Column("author_id", Text),
    Column("author_display_name", Text),
    Column("answer_millis", BigInteger, nullable=False, server_default=text("0")),
    Column("create_time", TIME, nullable=False),
    Column("platform_time", TIME),
    PrimaryKeyConstraint("workspace_id", "message_id", "ordinal", name="pk_receipts"),
    CheckConstraint(f"delivery_status IN ({STATUSES})", name="ck_receipts_delivery_status"),
    CheckConstraint(
        "source IN ('api', 'dispatch', 'webhook', 'web_chat', 'deadline')",
        name="ck_receipts_source",
    ),
)

# Receipts that came before the platform's id of their message was known; kept for 8 days.
pending_receipts = Table(
    "pending_receipts",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("platform_message_id", Text, nullable=False),
    Column("id", ID, nullable=False),
    Column("delivery_status", Text, nullable=False),
    *_failure_columns(),
    Column("create_time", TIME, nullable=False),
    Column("platform_time", TIME),
    Column("expire_time", TIME, nullable=False),
    PrimaryKeyConstraint(
        "workspace_id", "channel_id", "platform_message_id", "id", name="pk_pending_receipts"
    ),
    CheckConstraint(f"delivery_status IN ({STATUSES})", name="ck_pending_receipts_delivery_status"),
    Index("ix_pending_receipts_expire_time", "workspace_id", "expire_time"),
)

# One lane per thread: platform calls of a thread go out one at a time, in order.
dispatch_lanes = Table(
    "dispatch_lanes",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    # When somebody should look at it; null while there is nothing to do.
    Column("next_attempt_time", TIME),
    Column("lease_until", TIME),
    Column("lease_owner", Text),
    # Raised with every lease: a worker that lost its lease is told by this.
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_dispatch_lanes"),
    Index(
        "ix_dispatch_lanes_next_attempt_time",
        "next_attempt_time",
        postgresql_where=text("next_attempt_time IS NOT NULL"),
    ),
    Index("ix_dispatch_lanes_channel_id", "workspace_id", "channel_id"),
)

channels = Table(
    "channels",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("state_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_channels"),
    CheckConstraint(f"kind IN ({CHANNEL_KINDS})", name="ck_channels_kind"),
    CheckConstraint(
        "state IN ('connected', 'not_connected', 'reconnection_needed')", name="ck_channels_state"
    ),
)

channel_credentials = Table(
    "channel_credentials",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "channel_id", name="pk_channel_credentials"),
    ForeignKeyConstraint(
        ["workspace_id", "channel_id"],
        ["channels.workspace_id", "channels.id"],
        name="fk_channel_credentials_channel_id",
    ),
)

# Where a webhook or a chat box, which know only a channel, belong.
channel_routes = Table(
    "channel_routes",
    metadata,
    Column("channel_id", ID, nullable=False),
    Column("workspace_id", ID, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("channel_id", name="pk_channel_routes"),
)

# A channel's rate, shared by all workers.
channel_buckets = Table(
    "channel_buckets",
    metadata,
    Column("channel_id", ID, nullable=False),
    Column("workspace_id", ID, nullable=False),
    Column("tokens", Double, nullable=False),
    Column("tokens_per_second", Double, nullable=False),
    Column("max_tokens", Double, nullable=False),
    Column("refill_time", TIME, nullable=False),
    # No call before this; 'infinity' while the channel is not connected.
    Column("paused_until", TIME),
    PrimaryKeyConstraint("channel_id", name="pk_channel_buckets"),
)

# Platforms' calls exactly as they came; processed afterwards.
webhook_inbox = Table(
    "webhook_inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("workspace_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("receive_time", TIME, nullable=False),
    Column("process_time", TIME),
    Column("try_count", Integer, nullable=False, server_default=text("0")),
    Column("next_try_time", TIME),
    Column("last_error", Text),
    PrimaryKeyConstraint("id", name="pk_webhook_inbox"),
    UniqueConstraint("channel_id", "dedupe_key", name="uq_webhook_inbox_dedupe_key"),
    Index(
        "ix_webhook_inbox_next_try_time",
        "next_try_time",
        "id",
        postgresql_where=text("next_try_time IS NOT NULL"),
    ),
)

# What the chat box of one visitor has acknowledged; the visitor's identity is in the thread.
web_chat_visitors = Table(
    "web_chat_visitors",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("delivered_up_to_seq", BigInteger, nullable=False),
    Column("read_up_to_seq", BigInteger, nullable=False),
    Column("update_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_web_chat_visitors"),
)

messaging_settings = Table(
    "messaging_settings",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("default_mode", Text, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="pk_messaging_settings"),
    CheckConstraint("default_mode IN ('ai', 'manual')", name="ck_messaging_settings_default_mode"),
)

# What a request id of a write other than a send stands for.
request_ids = Table(
    "request_ids",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("request_id", ID, nullable=False),
    Column("method", Text, nullable=False),
    # Of the request's content, to tell a repeat from another request under the same id.
    Column("digest", LargeBinary, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "request_id", name="pk_request_ids"),
)
