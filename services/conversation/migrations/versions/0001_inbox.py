"""The shared inbox: contacts, their identities, conversations, and the event tables."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None

CONTACTS = """
CREATE TABLE contacts (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    display_name text NOT NULL,
    create_time timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (workspace_id, id)
)
"""

CONTACT_IDENTITIES = """
CREATE TABLE contact_identities (
    workspace_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    external_id text NOT NULL,
    contact_id uuid NOT NULL,
    channel_kind text NOT NULL,
    channel_name text NOT NULL,
    name_version bigint NOT NULL,
    log_epoch text NOT NULL,
    CONSTRAINT pk_contact_identities PRIMARY KEY (workspace_id, channel_id, external_id),
    CONSTRAINT fk_contact_identities_contact FOREIGN KEY (workspace_id, contact_id)
        REFERENCES contacts (workspace_id, id)
)
"""

# Every message moves a conversation in its lists, so rows are rewritten all the time: room on the
# page keeps the new version beside the old one, and vacuum comes early.
CONVERSATIONS = """
CREATE TABLE conversations (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    channel_kind text NOT NULL,
    folder text NOT NULL,
    preview_seq bigint,
    preview_author_kind text,
    preview_text text,
    preview_create_time timestamptz,
    inbound_count bigint NOT NULL,
    read_ordinal bigint NOT NULL,
    solved_ordinal bigint NOT NULL,
    mode text NOT NULL,
    mode_epoch bigint NOT NULL,
    log_epoch text NOT NULL,
    last_activity_time timestamptz NOT NULL
        GENERATED ALWAYS AS (COALESCE(preview_create_time, create_time)) STORED,
    create_time timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_conversations PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_conversations_contact FOREIGN KEY (workspace_id, contact_id)
        REFERENCES contacts (workspace_id, id),
    CONSTRAINT ck_conversations_folder CHECK (folder IN ('open', 'solved', 'spam', 'archived')),
    CONSTRAINT ck_conversations_mode CHECK (mode IN ('ai', 'manual')),
    CONSTRAINT ck_conversations_preview CHECK (
        num_nulls(preview_seq, preview_author_kind, preview_text, preview_create_time) IN (0, 4))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05)
"""

COMMAND_REQUESTS = """
CREATE TABLE command_requests (
    workspace_id uuid NOT NULL,
    request_id uuid NOT NULL,
    command text NOT NULL,
    conversation_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_command_requests PRIMARY KEY (workspace_id, request_id)
)
"""

INDEXES = """
CREATE INDEX ix_contact_identities_contact ON contact_identities (workspace_id, contact_id);
CREATE INDEX ix_conversations_inbox
    ON conversations (workspace_id, folder, last_activity_time DESC, id DESC);
CREATE INDEX ix_conversations_inbox_unread
    ON conversations (workspace_id, folder, last_activity_time DESC, id DESC)
    WHERE inbound_count > read_ordinal;
CREATE INDEX ix_conversations_channel
    ON conversations (workspace_id, channel_id, folder, last_activity_time DESC, id DESC);
CREATE INDEX ix_conversations_channel_unread
    ON conversations (workspace_id, channel_id, folder, last_activity_time DESC, id DESC)
    WHERE inbound_count > read_ordinal;
CREATE INDEX ix_conversations_contact ON conversations (workspace_id, contact_id)
"""


def upgrade() -> None:
    for table in (CONTACTS, CONTACT_IDENTITIES, CONVERSATIONS, COMMAND_REQUESTS):
        op.execute(table)
    for index in INDEXES.split(";"):
        op.execute(index)
    migrations.tenant_table(op, "contacts", app=("SELECT",))
    migrations.tenant_table(op, "contact_identities", app=("SELECT",))
    migrations.tenant_table(op, "conversations", app=("SELECT", "UPDATE"))
    migrations.tenant_table(op, "command_requests", app=("SELECT", "INSERT"), worker=())
    migrations.publishing_tables(op)
    migrations.consuming_tables(op)
