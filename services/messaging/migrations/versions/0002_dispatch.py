"""What dispatch and webhook processing need: due times, items of webhooks, workspaces' keys."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE attempts ADD COLUMN due_time timestamptz")
    op.execute("ALTER TABLE dispatch_lanes ADD COLUMN decision_time timestamptz")
    op.execute("ALTER TABLE dispatch_lanes ADD COLUMN revivable_until timestamptz")
    op.execute(
        "CREATE INDEX ix_dispatch_lanes_decision_time ON dispatch_lanes (decision_time) "
        "WHERE decision_time IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX ix_dispatch_lanes_revivable_until ON dispatch_lanes (revivable_until) "
        "WHERE revivable_until IS NOT NULL"
    )
    op.execute("""
        CREATE TABLE webhook_items (
            id bigint GENERATED ALWAYS AS IDENTITY,
            workspace_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            inbox_id bigint NOT NULL,
            dedupe_key text NOT NULL,
            contact_key text NOT NULL,
            raw bytea NOT NULL,
            state text NOT NULL,
            receive_time timestamptz NOT NULL,
            process_time timestamptz,
            try_count integer DEFAULT 0 NOT NULL,
            next_try_time timestamptz,
            last_error text,
            CONSTRAINT pk_webhook_items PRIMARY KEY (id),
            CONSTRAINT uq_webhook_items_dedupe_key UNIQUE (channel_id, dedupe_key),
            CONSTRAINT ck_webhook_items_state CHECK (state IN ('waiting', 'done', 'kept', 'dead'))
        )
    """)
    op.execute(
        "CREATE INDEX ix_webhook_items_waiting ON webhook_items (channel_id, contact_key, id) "
        "WHERE state = 'waiting'"
    )
    op.execute(
        "CREATE INDEX ix_webhook_items_next_try_time ON webhook_items (next_try_time, id) "
        "WHERE state = 'waiting'"
    )
    migrations.worker_table(op, "webhook_items")
    op.execute("""
        CREATE TABLE workspace_keys (
            workspace_id uuid NOT NULL,
            wrapped_key bytea NOT NULL,
            create_time timestamptz NOT NULL,
            CONSTRAINT pk_workspace_keys PRIMARY KEY (workspace_id)
        )
    """)
    migrations.tenant_table(op, "workspace_keys", app=("SELECT", "INSERT"), worker=("SELECT",))
