"""Tables of what is known of contacts."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.conversation.schema.columns import id_column, metadata, time_column

contacts = Table(
    "contacts",
    metadata,
    id_column("workspace_id"),
    id_column("id"),
    Column("display_name", Text, nullable=False),
    time_column("create_time"),
    Column("version", BigInteger, nullable=False),
    Column("merged_into_id", UUID(as_uuid=False)),
    Column("name_key", Text(collation="C")),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_contacts"),
    ForeignKeyConstraint(
        ["workspace_id", "merged_into_id"],
        ["contacts.workspace_id", "contacts.id"],
        name="fk_contacts_merged_into",
    ),
    Index(
        "ix_contacts_name",
        "workspace_id",
        "name_key",
        "id",
        postgresql_where=text("merged_into_id IS NULL AND name_key IS NOT NULL"),
    ),
    Index("ix_contacts_unnamed", "workspace_id", "id", postgresql_where=text("name_key IS NULL")),
    Index(
        "ix_contacts_merged_into",
        "workspace_id",
        "merged_into_id",
        postgresql_where=text("merged_into_id IS NOT NULL"),
    ),
)
"""`name_key` is what a name is sorted by; NULL until its words are in `contact_name_words`."""

contact_identities = Table(
    "contact_identities",
    metadata,
    id_column("workspace_id"),
    id_column("channel_id"),
    Column("external_id", Text, nullable=False),
    id_column("contact_id"),
    Column("channel_kind", Text, nullable=False),
    Column("channel_name", Text, nullable=False),
    Column("name_version", BigInteger, nullable=False),
    Column("log_epoch", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "channel_id", "external_id", name="pk_contact_identities"),
    ForeignKeyConstraint(
        ["workspace_id", "contact_id"],
        ["contacts.workspace_id", "contacts.id"],
        name="fk_contact_identities_contact",
    ),
    Index("ix_contact_identities_contact", "workspace_id", "contact_id"),
)

contact_profiles = Table(
    "contact_profiles",
    metadata,
    id_column("workspace_id"),
    id_column("contact_id"),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("tag_ids", ARRAY(UUID(as_uuid=False)), nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("consents", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "contact_id", name="pk_contact_profiles"),
    ForeignKeyConstraint(
        ["workspace_id", "contact_id"],
        ["contacts.workspace_id", "contacts.id"],
        name="fk_contact_profiles_contact",
    ),
)
"""A row from the first thing on that is known. Apart from `contacts`, which every list reads."""

contact_notes = Table(
    "contact_notes",
    metadata,
    id_column("workspace_id"),
    id_column("id"),
    id_column("contact_id"),
    Column("body", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    time_column("create_time"),
    time_column("update_time"),
    Column("is_deleted", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_contact_notes"),
    ForeignKeyConstraint(
        ["workspace_id", "contact_id"],
        ["contacts.workspace_id", "contacts.id"],
        name="fk_contact_notes_contact",
    ),
    Index(
        "ix_contact_notes_contact",
        "workspace_id",
        "contact_id",
        text("create_time DESC"),
        text("id DESC"),
        postgresql_where=text("NOT is_deleted"),
    ),
)
"""A deleted one keeps its row without its body, so that a repeat of the request finds it."""

contact_name_words = Table(
    "contact_name_words",
    metadata,
    id_column("workspace_id"),
    id_column("contact_id"),
    Column("word", Text(collation="C"), nullable=False),
    PrimaryKeyConstraint("workspace_id", "contact_id", "word", name="pk_contact_name_words"),
    Index("ix_contact_name_words_word", "workspace_id", "word", "contact_id"),
)
"""The words of each name, without case and accents: docs/adr/0014 says why not a GIN index."""
