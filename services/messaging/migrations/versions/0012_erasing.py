"""Erasing what customers said: how far erased threads counted, and what leaves the stream."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erased_threads (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            request_id uuid NOT NULL,
            last_seq bigint NOT NULL,
            inbound_count bigint NOT NULL,
            mode_epoch bigint NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_erased_threads PRIMARY KEY (workspace_id, conversation_id)
        )
    """)
    # Whoever opens a thread reads how far it once counted; only the worker erases.
    migrations.tenant_table(
        op, "erased_threads", app=("SELECT",), worker=("SELECT", "INSERT", "UPDATE")
    )
    # Evidence is only ever added, until everything it is about is erased.
    op.execute(f"GRANT DELETE ON receipts TO {migrations.service_role(op, 'worker')}")
    migrations.erasing_tables(op)
