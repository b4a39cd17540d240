"""Tables of what was said: threads, messages, attempts and the evidence about them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.schema.columns import (
    CHANNEL_KINDS,
    ID,
    STATUSES,
    TIME,
    failure_columns,
    metadata,
)

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
    # When the AI resumes: set by people's messages, so it has no index; see resume_timers.
    Column("manual_until", TIME),
    Column("resume_ai_after", Interval),
    Column("is_manual_kept", Boolean, nullable=False, server_default=text("false")),
    Column("handover", JSONB),
    Column("hold_member_id", Text),
    Column("hold_since", TIME),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_threads"),
    UniqueConstraint("workspace_id", "channel_id", "external_id", name="uq_threads_external_id"),
    CheckConstraint(f"channel_kind IN ({CHANNEL_KINDS})", name="ck_threads_channel_kind"),
    CheckConstraint("mode IN ('ai', 'manual')", name="ck_threads_mode"),
    CheckConstraint("num_nulls(hold_member_id, hold_since) IN (0, 2)", name="ck_threads_hold"),
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
    *failure_columns(),
    Column("attempt_count", Integer, nullable=False),
    Column("inbound_ordinal", BigInteger, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("platform_time", TIME),
    Column("version", BigInteger, nullable=False),
    # On rows for the team.
    Column("system_note", JSONB),
    # What it carries beside its text; null for most.
    Column("content", JSONB),
    PrimaryKeyConstraint("workspace_id", "conversation_id", "seq", name="pk_messages"),
    UniqueConstraint("workspace_id", "id", name="uq_messages_id"),
    UniqueConstraint("workspace_id", "client_message_id", name="uq_messages_client_message_id"),
    CheckConstraint(
        "direction IN ('inbound', 'outbound', 'internal')", name="ck_messages_direction"
    ),
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
    *failure_columns(),
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
    # The lane's fence under which a call is under way; null between calls.
    Column("fence", BigInteger),
    Column("create_time", TIME, nullable=False),
    # Waiting for a call: not before; unknown: presumed failed at.
    Column("due_time", TIME),
    # An earlier call of it may have arrived: giving up is presuming, never knowing.
    Column("is_doubtful", Boolean, nullable=False, server_default=text("false")),
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
    *failure_columns(),
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
    *failure_columns(),
    Column("create_time", TIME, nullable=False),
    Column("platform_time", TIME),
    Column("expire_time", TIME, nullable=False),
    PrimaryKeyConstraint(
        "workspace_id", "channel_id", "platform_message_id", "id", name="pk_pending_receipts"
    ),
    CheckConstraint(f"delivery_status IN ({STATUSES})", name="ck_pending_receipts_delivery_status"),
    Index("ix_pending_receipts_expire_time", "workspace_id", "expire_time"),
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

# Threads in manual mode that the AI takes over by itself. A thread's `manual_until` only moves away
# from the due time, which is moved after it when it comes; so a person's message costs no index.
resume_timers = Table(
    "resume_timers",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("due_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_resume_timers"),
    Index("ix_resume_timers_due_time", "due_time"),
)

messaging_settings = Table(
    "messaging_settings",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("default_mode", Text, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("resume_ai_after", Interval, nullable=False, server_default=text("'15 minutes'")),
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

# Files that a platform has already, under its own ids.
platform_media = Table(
    "platform_media",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("media_id", ID, nullable=False),
    Column("platform_media_id", Text, nullable=False),
    # The platform forgets it then.
    Column("expire_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "channel_id", "media_id", name="pk_platform_media"),
)

erased_threads = Table(
    "erased_threads",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("request_id", ID, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("inbound_count", BigInteger, nullable=False),
    Column("mode_epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_erased_threads"),
)
"""How far threads counted that were erased: a customer who comes back goes on after it."""
