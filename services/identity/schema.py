"""The tables of identity; compared with the migrations by a test.

Tenant tables show both roles only the rows of the workspace at hand. Routing tables are those a
credential is looked up in before anybody knows whose it is: the worker sees them across
workspaces, the app its own rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = MetaData()

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", ID, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    # What the creating request said, so that a repeat can be told from another request.
    Column("request_digest", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", name="pk_workspaces"),
)

members = Table(
    "members",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("email", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_members"),
    CheckConstraint("role IN ('owner', 'agent', 'read_only')", name="ck_members_role"),
    CheckConstraint("state IN ('invited', 'active', 'removed')", name="ck_members_state"),
    Index("ix_members_create_time", "workspace_id", "create_time", "id"),
)

# Routing: who signs in by an e-mail address. A removed member has no row.
sign_in_names = Table(
    "sign_in_names",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("member_id", ID, nullable=False),
    # Argon2; NULL until they chose a password.
    Column("password_hash", Text),
    Column("use_time", TIME),
    PrimaryKeyConstraint("workspace_id", "email_key", name="pk_sign_in_names"),
    UniqueConstraint("workspace_id", "member_id", name="uq_sign_in_names_member_id"),
    Index("ix_sign_in_names_email_key", "email_key"),
)

# Routing.
sessions = Table(
    "sessions",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("member_id", ID, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("use_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("end_time", TIME),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_sessions"),
    UniqueConstraint("id", name="uq_sessions_id"),
    Index(
        "ix_sessions_member_id",
        "workspace_id",
        "member_id",
        postgresql_where=text("end_time IS NULL"),
    ),
    Index("ix_sessions_expire_time", "expire_time"),
)

# Routing: sign-in links, invitations; tickets of former releases.
one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", ID, nullable=False),
    # The session or key a ticket was made with.
    Column("credential_id", ID),
    Column("digest", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("use_time", TIME),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_one_time_tokens"),
    UniqueConstraint("id", name="uq_one_time_tokens_id"),
    CheckConstraint("kind IN ('sign_in_link', 'invite', 'ticket')", name="ck_one_time_tokens_kind"),
    CheckConstraint(
        "(kind = 'ticket') = (credential_id IS NOT NULL)",
        name="ck_one_time_tokens_credential_id",
    ),
    Index(
        "ix_one_time_tokens_subject_id",
        "workspace_id",
        "subject_id",
        postgresql_where=text("use_time IS NULL"),
    ),
    Index("ix_one_time_tokens_expire_time", "expire_time"),
)

# Routing: which tickets were used, until their end; the tickets themselves are kept nowhere.
used_tickets = Table(
    "used_tickets",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("expire_time", TIME, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_used_tickets"),
)

# Routing.
api_keys = Table(
    "api_keys",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("id", ID, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    # A keyed digest of the secret.
    Column("secret_mac", LargeBinary, nullable=False),
    Column("request_id", ID, nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("expire_time", TIME),
    Column("revoke_time", TIME),
    PrimaryKeyConstraint("workspace_id", "id", name="pk_api_keys"),
    UniqueConstraint("id", name="uq_api_keys_id"),
    UniqueConstraint("workspace_id", "request_id", name="uq_api_keys_request_id"),
    CheckConstraint(
        "role IN ('owner', 'agent', 'read_only', 'bot', 'service')", name="ck_api_keys_role"
    ),
    Index("ix_api_keys_create_time", "workspace_id", "create_time", "id"),
)

# The suite's own, of no workspace.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, nullable=False),
    # The private key, sealed by the master key.
    Column("sealed_private", LargeBinary, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("sign_from", TIME, nullable=False),
    Column("sign_until", TIME, nullable=False),
    Column("verify_until", TIME, nullable=False),
    PrimaryKeyConstraint("id", name="pk_signing_keys"),
)
