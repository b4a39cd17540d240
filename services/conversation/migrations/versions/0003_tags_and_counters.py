"""Tags, counters, who has seen what, inbox settings, and lists by kind of channel."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0003"
down_revision = "0002"

TAGS = """
CREATE TABLE tags (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL,
    display_name text NOT NULL,
    color text NOT NULL,
    create_time timestamptz,
    is_deleted boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_tags PRIMARY KEY (workspace_id, id),
    CONSTRAINT ck_tags_color CHECK (color IN
        ('gray', 'red', 'orange', 'amber', 'green', 'teal', 'blue', 'purple', 'pink'))
)
"""

# Every message moves a conversation's tags in their lists too, as in conversations.
CONVERSATION_TAGS = """
CREATE TABLE conversation_tags (
    workspace_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    channel_kind text NOT NULL,
    folder text NOT NULL,
    last_activity_time timestamptz NOT NULL,
    is_unread boolean NOT NULL,
    CONSTRAINT pk_conversation_tags PRIMARY KEY (workspace_id, conversation_id, tag_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05)
"""

# A few rows that are rewritten all the time: with room on the page every rewrite stays HOT.
COUNTERS = """
CREATE TABLE counters (
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    folder text NOT NULL,
    conversation_count bigint NOT NULL,
    unread_count bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_counters PRIMARY KEY (workspace_id, kind, subject_id, folder),
    CONSTRAINT ck_counters_kind CHECK (kind IN ('folder', 'channel', 'tag')),
    CONSTRAINT ck_counters_folder CHECK (folder IN ('open', 'solved', 'spam', 'archived'))
) WITH (fillfactor = 25, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""

CONVERSATION_SEEN = """
CREATE TABLE conversation_seen (
    workspace_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    member_id text NOT NULL,
    ordinal bigint NOT NULL,
    seen_time timestamptz NOT NULL,
    CONSTRAINT pk_conversation_seen PRIMARY KEY (workspace_id, conversation_id, member_id)
) WITH (fillfactor = 85)
"""

SETTINGS = """
CREATE TABLE inbox_settings (
    workspace_id uuid NOT NULL,
    reopens_on_inbound boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_inbox_settings PRIMARY KEY (workspace_id)
)
"""

ENTITY_REQUESTS = """
CREATE TABLE entity_requests (
    workspace_id uuid NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    digest bytea NOT NULL,
    entity_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_entity_requests PRIMARY KEY (workspace_id, request_id)
)
"""

INDEXES = """
CREATE UNIQUE INDEX uq_tags_key ON tags (workspace_id, key) WHERE NOT is_deleted;
CREATE INDEX ix_conversation_tags_inbox ON conversation_tags
    (workspace_id, tag_id, folder, last_activity_time DESC, conversation_id DESC)
    INCLUDE (channel_id, channel_kind);
CREATE INDEX ix_conversation_tags_inbox_unread ON conversation_tags
    (workspace_id, tag_id, folder, last_activity_time DESC, conversation_id DESC)
    INCLUDE (channel_id, channel_kind) WHERE is_unread
"""

# Adding a column takes the lock that keeps writers out until the end, so nothing slips between
# what is counted here and what is counted on. Row security would hide the rows from their owner.
COUNT = """
ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE conversations ADD COLUMN tag_ids uuid[] NOT NULL DEFAULT '{}';
INSERT INTO counters
    SELECT workspace_id, kind, subject_id, folder, count(*),
           count(*) FILTER (WHERE inbound_count > read_ordinal), 1
    FROM conversations, LATERAL (
        VALUES ('folder', '00000000-0000-0000-0000-000000000000'::uuid), ('channel', channel_id)
    ) AS counted (kind, subject_id)
    GROUP BY workspace_id, kind, subject_id, folder;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY
"""

BY_KIND = "(workspace_id, channel_kind, folder, last_activity_time DESC, id DESC)"


def upgrade() -> None:
    for table in (
        TAGS,
        CONVERSATION_TAGS,
        COUNTERS,
        CONVERSATION_SEEN,
        SETTINGS,
        ENTITY_REQUESTS,
    ):
        op.execute(table)
    for statement in (*COUNT.split(";"), *INDEXES.split(";")):
        op.execute(statement)
    migrations.tenant_table(op, "tags", app=("SELECT", "INSERT", "UPDATE"))
    migrations.tenant_table(op, "conversation_tags")
    migrations.tenant_table(op, "counters")
    migrations.tenant_table(op, "conversation_seen", app=("SELECT", "INSERT", "UPDATE"))
    migrations.tenant_table(op, "inbox_settings", app=("SELECT", "INSERT", "UPDATE"))
    migrations.tenant_table(op, "entity_requests", app=("SELECT", "INSERT"), worker=())
    migrations.create_index_concurrently(op, "ix_conversations_kind", f"ON conversations {BY_KIND}")
    migrations.create_index_concurrently(
        op,
        "ix_conversations_kind_unread",
        f"ON conversations {BY_KIND} WHERE inbound_count > read_ordinal",
    )
