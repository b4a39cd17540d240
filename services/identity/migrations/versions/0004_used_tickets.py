"""Tickets are signed; what is kept of them is that they were used."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE used_tickets (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            expire_time timestamptz NOT NULL,
            CONSTRAINT pk_used_tickets PRIMARY KEY (workspace_id, id)
        )
    """)
    migrations.worker_table(
        op, "used_tickets", app=("SELECT", "INSERT"), worker=("SELECT", "DELETE")
    )
