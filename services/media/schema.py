"""The table of files; the migrations build it, a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData()

media = Table(
    "media",
    metadata,
    Column("workspace_id", UUID(as_uuid=False), nullable=False),
    Column("id", UUID(as_uuid=False), nullable=False),
    Column("request_id", UUID(as_uuid=False), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("sniffed_type", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_media"),
    UniqueConstraint("workspace_id", "request_id", name="uq_media_request_id"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="ck_media_sha256"),
    CheckConstraint("size_bytes >= 0", name="ck_media_size_bytes"),
)
