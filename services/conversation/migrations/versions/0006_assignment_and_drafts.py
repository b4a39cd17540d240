"""Who looks after a conversation, who has it, which wait for a person, and drafts."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DRAFTS = """
CREATE TABLE drafts (
    workspace_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    member_id text NOT NULL,
    text text NOT NULL,
    request_id uuid NOT NULL,
    update_time timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_drafts PRIMARY KEY (workspace_id, conversation_id, member_id)
) WITH (fillfactor = 70)
"""
COLUMNS = """
ALTER TABLE conversations
    ADD COLUMN assignee_id uuid,
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN hold_member_id text,
    ADD COLUMN hold_since timestamptz,
    ADD COLUMN thread_version bigint NOT NULL DEFAULT 0
"""
# What waits for a person now was told long ago: messaging's snapshot tells it again.
READ_ANEW = "DELETE FROM consumer_cursors WHERE consumer = 'conversation-projection'"
IN_ORDER = "folder, last_activity_time DESC, id DESC"
INDEXES = {
    "assignee": (f"workspace_id, assignee_id, {IN_ORDER}", "assignee_id IS NOT NULL"),
    "unassigned": (f"workspace_id, {IN_ORDER}", "assignee_id IS NULL"),
    "waiting": (f"workspace_id, {IN_ORDER}", "waiting_since IS NOT NULL"),
}


def upgrade() -> None:
    for statement in (DRAFTS, COLUMNS, READ_ANEW):
        op.execute(statement)
    migrations.tenant_table(op, "drafts", app=("SELECT", "INSERT", "UPDATE"))
    for name, (columns, where) in INDEXES.items():
        migrations.create_index_concurrently(
            op, f"ix_conversations_{name}", f"ON conversations ({columns}) WHERE {where}"
        )
        migrations.create_index_concurrently(
            op,
            f"ix_conversations_{name}_unread",
            f"ON conversations ({columns}) WHERE {where} AND inbound_count > read_ordinal",
        )
