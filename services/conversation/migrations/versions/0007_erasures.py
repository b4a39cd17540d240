"""Erasing contacts: what is being erased, and how far that has come."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erasures (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            contact_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            done jsonb DEFAULT '{}' NOT NULL,
            failure_count bigint DEFAULT 0 NOT NULL,
            try_count integer DEFAULT 0 NOT NULL,
            next_try_time timestamptz,
            lease_until timestamptz,
            fence bigint DEFAULT 0 NOT NULL,
            CONSTRAINT pk_erasures PRIMARY KEY (workspace_id, id)
        )
    """)
    op.execute(
        "CREATE INDEX ix_erasures_next_try_time ON erasures (next_try_time) "
        "WHERE next_try_time IS NOT NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_erasures_running ON erasures (workspace_id, contact_id) "
        "WHERE next_try_time IS NOT NULL"
    )
    op.execute("""
        CREATE TABLE erasure_threads (
            workspace_id uuid NOT NULL,
            erasure_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            last_seq bigint DEFAULT 0 NOT NULL,
            log_epoch text DEFAULT '' NOT NULL,
            gpos bigint DEFAULT 0 NOT NULL,
            CONSTRAINT pk_erasure_threads PRIMARY KEY (workspace_id, erasure_id, conversation_id)
        )
    """)
    migrations.worker_table(op, "erasures", app=("SELECT", "INSERT"))
    migrations.tenant_table(
        op,
        "erasure_threads",
        app=("SELECT", "INSERT"),
        worker=("SELECT", "INSERT", "UPDATE"),
    )
    migrations.erasing_tables(op)
