"""The outbox keeps out what the log cannot carry without regular expressions."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migrations.plain_outbox_checks(op)
