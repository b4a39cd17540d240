"""Dead webhooks are listed and redriven by the people of their workspace."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('inbox.workspace', true), '')::uuid"


def upgrade() -> None:
    app = migrations.service_role(op, "app")
    for table in ("webhook_inbox", "webhook_items"):
        op.execute(
            f"CREATE POLICY tenant_rows_of_app ON {table} TO {app} "
            f"USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
        )
        op.execute(f"GRANT SELECT, UPDATE ON {table} TO {app}")
    migrations.create_index_concurrently(
        op,
        "ix_webhook_inbox_dead",
        "ON webhook_inbox (workspace_id, receive_time, id) "
        "WHERE process_time IS NULL AND next_try_time IS NULL",
    )
    migrations.create_index_concurrently(
        op,
        "ix_webhook_items_dead",
        "ON webhook_items (workspace_id, receive_time, id) WHERE state = 'dead'",
    )
