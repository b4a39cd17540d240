"""What a file's bytes are. Files from before were never looked at: they can only be saved."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE media ADD COLUMN sniffed_type text NOT NULL DEFAULT 'application/octet-stream'
    """)
    op.execute("ALTER TABLE media ALTER COLUMN sniffed_type DROP DEFAULT")
