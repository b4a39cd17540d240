"""The outbox keeps out what the log cannot carry without regular expressions."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migrations.plain_outbox_checks(op)
