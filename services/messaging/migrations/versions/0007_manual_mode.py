"""From the AI to people and back: timers, the pin, handovers, and rows for the team."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Committed step by step, and may run again: the rows are checked without keeping anybody out.
    with op.get_context().autocommit_block():
        op.execute("""
            ALTER TABLE messages
                DROP CONSTRAINT IF EXISTS ck_messages_direction,
                ADD CONSTRAINT ck_messages_direction CHECK (direction IN ('inbound', 'outbound',
                    'internal')) NOT VALID
        """)
        op.execute("ALTER TABLE messages VALIDATE CONSTRAINT ck_messages_direction")
    op.execute("ALTER TABLE messages ADD COLUMN system_note jsonb")
    op.execute("""
        ALTER TABLE threads
            ADD COLUMN manual_until timestamptz,
            ADD COLUMN resume_ai_after interval,
            ADD COLUMN is_manual_kept boolean DEFAULT false NOT NULL,
            ADD COLUMN handover jsonb
    """)
    op.execute("""
        ALTER TABLE messaging_settings
            ADD COLUMN resume_ai_after interval DEFAULT '15 minutes' NOT NULL
    """)
    op.execute("""
        CREATE TABLE resume_timers (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            due_time timestamptz NOT NULL,
            CONSTRAINT pk_resume_timers PRIMARY KEY (workspace_id, conversation_id)
        ) WITH (fillfactor = 80)
    """)
    op.execute("CREATE INDEX ix_resume_timers_due_time ON resume_timers (due_time)")
    migrations.worker_table(op, "resume_timers", app=("SELECT", "INSERT", "UPDATE", "DELETE"))
