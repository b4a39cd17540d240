"""The tables of identity: people, what lets them in, and the keys that sign for them."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

READ_AND_APPEND = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workspaces (
            id uuid NOT NULL,
            display_name text NOT NULL,
            time_zone text NOT NULL,
            request_digest bytea NOT NULL,
            create_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_workspaces PRIMARY KEY (id)
        )
    """)
    op.execute("""
        CREATE TABLE members (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            email text NOT NULL,
            display_name text NOT NULL,
            role text NOT NULL,
            state text NOT NULL,
            request_digest bytea NOT NULL,
            create_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_members PRIMARY KEY (workspace_id, id),
            CONSTRAINT ck_members_role CHECK (role IN ('owner', 'agent', 'read_only')),
            CONSTRAINT ck_members_state CHECK (state IN ('invited', 'active', 'removed'))
        )
    """)
    op.execute("CREATE INDEX ix_members_create_time ON members (workspace_id, create_time, id)")
    op.execute("""
        CREATE TABLE sign_in_names (
            workspace_id uuid NOT NULL,
            email_key text NOT NULL,
            member_id uuid NOT NULL,
            password_hash text,
            use_time timestamptz,
            CONSTRAINT pk_sign_in_names PRIMARY KEY (workspace_id, email_key),
            CONSTRAINT uq_sign_in_names_member_id UNIQUE (workspace_id, member_id)
        )
    """)
    op.execute("CREATE INDEX ix_sign_in_names_email_key ON sign_in_names (email_key)")
    op.execute("""
        CREATE TABLE sessions (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            member_id uuid NOT NULL,
            digest bytea NOT NULL,
            create_time timestamptz NOT NULL,
            use_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            end_time timestamptz,
            CONSTRAINT pk_sessions PRIMARY KEY (workspace_id, id),
            CONSTRAINT uq_sessions_id UNIQUE (id)
        )
    """)
    op.execute(
        "CREATE INDEX ix_sessions_member_id ON sessions (workspace_id, member_id)"
        " WHERE end_time IS NULL"
    )
    op.execute("CREATE INDEX ix_sessions_expire_time ON sessions (expire_time)")
    op.execute("""
        CREATE TABLE one_time_tokens (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            subject_id uuid NOT NULL,
            credential_id uuid,
            digest bytea NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            use_time timestamptz,
            CONSTRAINT pk_one_time_tokens PRIMARY KEY (workspace_id, id),
            CONSTRAINT uq_one_time_tokens_id UNIQUE (id),
            CONSTRAINT ck_one_time_tokens_kind CHECK (kind IN ('sign_in_link', 'invite', 'ticket')),
            CONSTRAINT ck_one_time_tokens_credential_id
                CHECK ((kind = 'ticket') = (credential_id IS NOT NULL))
        )
    """)
    op.execute(
        "CREATE INDEX ix_one_time_tokens_subject_id ON one_time_tokens (workspace_id, subject_id)"
        " WHERE use_time IS NULL"
    )
    op.execute("CREATE INDEX ix_one_time_tokens_expire_time ON one_time_tokens (expire_time)")
    op.execute("""
        CREATE TABLE api_keys (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            display_name text NOT NULL,
            role text NOT NULL,
            secret_mac bytea NOT NULL,
            request_id uuid NOT NULL,
            request_digest bytea NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz,
            revoke_time timestamptz,
            CONSTRAINT pk_api_keys PRIMARY KEY (workspace_id, id),
            CONSTRAINT uq_api_keys_id UNIQUE (id),
            CONSTRAINT uq_api_keys_request_id UNIQUE (workspace_id, request_id),
            CONSTRAINT ck_api_keys_role
                CHECK (role IN ('owner', 'agent', 'read_only', 'bot', 'service'))
        )
    """)
    op.execute("CREATE INDEX ix_api_keys_create_time ON api_keys (workspace_id, create_time, id)")
    op.execute("""
        CREATE TABLE signing_keys (
            id text NOT NULL,
            sealed_private bytea NOT NULL,
            public_jwk text NOT NULL,
            create_time timestamptz NOT NULL,
            sign_from timestamptz NOT NULL,
            sign_until timestamptz NOT NULL,
            verify_until timestamptz NOT NULL,
            CONSTRAINT pk_signing_keys PRIMARY KEY (id)
        )
    """)
    migrations.worker_table(op, "workspaces", column="id", app=READ_AND_APPEND, worker=("SELECT",))
    # Members are never deleted: what they wrote keeps their name.
    migrations.tenant_table(op, "members", app=READ_AND_APPEND, worker=("SELECT", "UPDATE"))
    migrations.worker_table(op, "sign_in_names", app=("SELECT", "INSERT", "UPDATE", "DELETE"))
    migrations.worker_table(op, "sessions", app=READ_AND_APPEND)
    migrations.worker_table(op, "one_time_tokens", app=READ_AND_APPEND)
    migrations.worker_table(op, "api_keys", app=READ_AND_APPEND, worker=("SELECT",))
    migrations.worker_table(op, "signing_keys")
    migrations.publishing_tables(op)
