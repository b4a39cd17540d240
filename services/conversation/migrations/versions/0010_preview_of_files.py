"""What kind of file the newest message carries."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No message carried a file before: nothing has to be read again.
    op.execute("ALTER TABLE conversations ADD COLUMN preview_attachment_kind text")
