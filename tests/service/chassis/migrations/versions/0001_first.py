"""A service that publishes, consumes, is audited, and keeps notes."""

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None


def upgrade() -> None:
    migrations.publishing_tables(op)
    migrations.consuming_tables(op)
    migrations.audit_tables(op)
    op.execute("""
        CREATE TABLE notes (
            workspace_id uuid NOT NULL,
            key text NOT NULL,
            version bigint NOT NULL,
            body text NOT NULL,
            CONSTRAINT pk_notes PRIMARY KEY (workspace_id, key)
        )
    """)
    migrations.tenant_table(op, "notes")
    op.execute("""
        CREATE TABLE leases (
            workspace_id uuid NOT NULL,
            name text NOT NULL,
            CONSTRAINT pk_leases PRIMARY KEY (workspace_id, name)
        )
    """)
    migrations.worker_table(op, "leases", app=("SELECT", "INSERT"))
    op.execute("""
        CREATE TABLE effects (
            workspace_id uuid NOT NULL,
            id bigint GENERATED ALWAYS AS IDENTITY,
            gpos bigint NOT NULL,
            log_epoch text NOT NULL,
            ordering_key text NOT NULL,
            payload text NOT NULL,
            CONSTRAINT pk_effects PRIMARY KEY (workspace_id, id)
        )
    """)
    migrations.worker_table(op, "effects")
