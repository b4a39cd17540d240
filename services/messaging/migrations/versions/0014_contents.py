"""What messages carry beside their text, and which files platforms have already."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null without a default: no row is touched.
    op.execute("ALTER TABLE messages ADD COLUMN content jsonb")
    op.execute("""
        CREATE TABLE platform_media (
            workspace_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            media_id uuid NOT NULL,
            platform_media_id text NOT NULL,
            expire_time timestamptz NOT NULL,
            CONSTRAINT pk_platform_media PRIMARY KEY (workspace_id, channel_id, media_id)
        )
    """)
    migrations.tenant_table(
        op, "platform_media", app=(), worker=("SELECT", "INSERT", "UPDATE", "DELETE")
    )
