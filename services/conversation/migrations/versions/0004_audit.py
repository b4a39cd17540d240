"""Who changed what: the audit and its chains."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migrations.audit_tables(op)
