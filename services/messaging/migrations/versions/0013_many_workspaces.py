"""The worker writes messages, and what they say, of several workspaces in one statement."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


SENT = ("channels", "threads", "messages", "attempts", "receipts")
SAID = ("message_texts", "message_words", "words", "word_endings")


def upgrade() -> None:
    for table in (*SENT, *SAID):
        migrations.open_to_worker_in_many(op, table)
