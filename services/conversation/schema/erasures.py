"""Tables of contacts' erasures: ids and progress, and nothing of what is erased."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.conversation.schema.columns import id_column, metadata, time_column

erasures = Table(
    "erasures",
    metadata,
    id_column("workspace_id"),
    id_column("id"),
    id_column("contact_id"),
    time_column("create_time"),
    Column("done", JSONB, nullable=False, server_default=text("'{}'")),
    Column("failure_count", BigInteger, nullable=False, server_default=text("0")),
    Column("try_count", Integer, nullable=False, server_default=text("0")),
    Column("next_try_time", DateTime(timezone=True)),
    Column("lease_until", DateTime(timezone=True)),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_erasures"),
    Index(
        "ix_erasures_next_try_time",
        "next_try_time",
        postgresql_where=text("next_try_time IS NOT NULL"),
    ),
    Index(
        "uq_erasures_running",
        "workspace_id",
        "contact_id",
        unique=True,
        postgresql_where=text("next_try_time IS NOT NULL"),
    ),
)
"""One that is done has no next try. `try_count` is of the step it is at."""

erasure_threads = Table(
    "erasure_threads",
    metadata,
    id_column("workspace_id"),
    id_column("erasure_id"),
    id_column("conversation_id"),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("log_epoch", Text, nullable=False, server_default=text("''")),
    Column("gpos", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint(
        "workspace_id", "erasure_id", "conversation_id", name="pk_erasure_threads"
    ),
)
