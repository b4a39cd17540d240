"""Whether an earlier call of an attempt may have arrived."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE attempts ADD COLUMN is_doubtful boolean NOT NULL DEFAULT false")
