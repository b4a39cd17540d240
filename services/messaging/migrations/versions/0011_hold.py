"""Which person has a conversation, and since when."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nobody is known to have what people answered before: the next one who writes has it.
    # Committed step by step, and may run again: the rows are checked without keeping anybody out.
    with op.get_context().autocommit_block():
        op.execute("""
            ALTER TABLE threads
                ADD COLUMN IF NOT EXISTS hold_member_id text,
                ADD COLUMN IF NOT EXISTS hold_since timestamptz,
                DROP CONSTRAINT IF EXISTS ck_threads_hold,
                ADD CONSTRAINT ck_threads_hold
                    CHECK (num_nulls(hold_member_id, hold_since) IN (0, 2)) NOT VALID
        """)
        op.execute("ALTER TABLE threads VALIDATE CONSTRAINT ck_threads_hold")
