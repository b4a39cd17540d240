"""The table of files."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE media (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            request_id uuid NOT NULL,
            file_name text NOT NULL,
            content_type text NOT NULL,
            size_bytes bigint NOT NULL,
            sha256 text NOT NULL,
            create_time timestamptz NOT NULL,
            CONSTRAINT pk_media PRIMARY KEY (workspace_id, id),
            CONSTRAINT uq_media_request_id UNIQUE (workspace_id, request_id),
            CONSTRAINT ck_media_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT ck_media_size_bytes CHECK (size_bytes >= 0)
        )
    """)
    migrations.tenant_table(op, "media", app=("SELECT", "INSERT"))
