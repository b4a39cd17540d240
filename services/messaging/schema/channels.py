"""Tables of the way to and from platforms: channels, lanes and webhooks."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.schema.columns import CHANNEL_KINDS, ID, TIME, metadata

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
    # When a deadline decides, whether or not the channel can be called.
    Column("decision_time", TIME),
    # Failures for a broken connection are tried again if it is back before this.
    Column("revivable_until", TIME),
    PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_dispatch_lanes"),
    Index(
        "ix_dispatch_lanes_next_attempt_time",
        "next_attempt_time",
        postgresql_where=text("next_attempt_time IS NOT NULL"),
    ),
    Index("ix_dispatch_lanes_channel_id", "workspace_id", "channel_id"),
    Index(
        "ix_dispatch_lanes_due",
        "channel_id",
        "next_attempt_time",
        postgresql_where=text("next_attempt_time IS NOT NULL"),
    ),
    Index(
        "ix_dispatch_lanes_decision_time",
        "decision_time",
        postgresql_where=text("decision_time IS NOT NULL"),
    ),
    Index(
        "ix_dispatch_lanes_revivable_until",
        "revivable_until",
        postgresql_where=text("revivable_until IS NOT NULL"),
    ),
)

# Platforms' calls exactly as they came; split into items at once, or later. One with neither a
# process_time nor a next_try_time is dead.
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
    Index(
        "ix_webhook_inbox_dead",
        "workspace_id",
        "receive_time",
        "id",
        postgresql_where=text("process_time IS NULL AND next_try_time IS NULL"),
    ),
)

# The items of platforms' calls, each processed by itself, in order per contact.
webhook_items = Table(
    "webhook_items",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("workspace_id", ID, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("inbox_id", BigInteger, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    # The customer's identity on the channel; empty where the platform names none.
    Column("contact_key", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # kept: of a kind we do not understand; dead: failed too often.
    Column("state", Text, nullable=False),
    Column("receive_time", TIME, nullable=False),
    Column("process_time", TIME),
    Column("try_count", Integer, nullable=False, server_default=text("0")),
    Column("next_try_time", TIME),
    Column("last_error", Text),
    PrimaryKeyConstraint("id", name="pk_webhook_items"),
    UniqueConstraint("channel_id", "dedupe_key", name="uq_webhook_items_dedupe_key"),
    CheckConstraint("state IN ('waiting', 'done', 'kept', 'dead')", name="ck_webhook_items_state"),
    Index(
        "ix_webhook_items_waiting",
        "channel_id",
        "contact_key",
        "id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_webhook_items_next_try_time",
        "next_try_time",
        "id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_webhook_items_dead",
        "workspace_id",
        "receive_time",
        "id",
        postgresql_where=text("state = 'dead'"),
    ),
)

# A workspace's data key, wrapped by the master key; it seals the workspace's credentials.
workspace_keys = Table(
    "workspace_keys",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="pk_workspace_keys"),
)
