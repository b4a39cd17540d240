"""Articles and their passages, settings, duties, turns, and the event tables."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None

LANGUAGES = {"english": "english_stem", "spanish": "spanish_stem", "portuguese": "portuguese_stem"}

ARTICLES = """
CREATE TABLE articles (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    language text NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    version bigint NOT NULL,
    is_deleted boolean NOT NULL,
    CONSTRAINT pk_articles PRIMARY KEY (workspace_id, id),
    CONSTRAINT ck_articles_language CHECK (language IN ('english', 'spanish', 'portuguese'))
)
"""
PASSAGES = """
CREATE TABLE passages (
    workspace_id uuid NOT NULL,
    article_id uuid NOT NULL,
    number integer NOT NULL,
    language text NOT NULL,
    text text NOT NULL,
    search tsvector NOT NULL,
    CONSTRAINT pk_passages PRIMARY KEY (workspace_id, article_id, number),
    CONSTRAINT fk_passages_article FOREIGN KEY (workspace_id, article_id)
        REFERENCES articles (workspace_id, id),
    CONSTRAINT ck_passages_language CHECK (language IN ('english', 'spanish', 'portuguese'))
)
"""
SETTINGS = """
CREATE TABLE assistant_settings (
    workspace_id uuid NOT NULL,
    content jsonb NOT NULL,
    api_key bytea,
    update_time timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_assistant_settings PRIMARY KEY (workspace_id)
)
"""
WORKSPACE_KEYS = """
CREATE TABLE workspace_keys (
    workspace_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_workspace_keys PRIMARY KEY (workspace_id)
)
"""
REQUEST_IDS = """
CREATE TABLE request_ids (
    workspace_id uuid NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    digest bytea NOT NULL,
    entity_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_request_ids PRIMARY KEY (workspace_id, request_id)
)
"""
# Rewritten by every message: room on the page keeps the new version beside the old one.
DUTIES = """
CREATE TABLE duties (
    workspace_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    log_epoch text NOT NULL,
    thread_version bigint NOT NULL,
    mode text NOT NULL,
    mode_epoch bigint NOT NULL,
    inbound_count bigint NOT NULL,
    answered_ordinal bigint NOT NULL,
    first_time timestamptz NOT NULL,
    newest_time timestamptz NOT NULL,
    is_silenced boolean NOT NULL,
    restart_count integer NOT NULL,
    try_count integer NOT NULL,
    due_time timestamptz,
    lease_until timestamptz,
    lease_owner uuid,
    fence bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_duties PRIMARY KEY (workspace_id, conversation_id),
    CONSTRAINT ck_duties_mode CHECK (mode IN ('ai', 'manual'))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)
"""
TURNS = """
CREATE TABLE turns (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    number bigint NOT NULL,
    seen_ordinal bigint NOT NULL,
    mode_epoch bigint NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    prompt_version text NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    provider_millis bigint NOT NULL,
    tool_calls jsonb NOT NULL,
    article_ids uuid[] NOT NULL,
    decision jsonb,
    handover_reason text,
    outcome text,
    message_id uuid,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    CONSTRAINT pk_turns PRIMARY KEY (workspace_id, id),
    CONSTRAINT ck_turns_outcome CHECK ((outcome IS NULL) = (end_time IS NULL)),
    CONSTRAINT ck_turns_decision CHECK (decision IS NULL OR end_time IS NULL)
)
"""
COLLECTED_FIELDS = """
CREATE TABLE collected_fields (
    workspace_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    source_seq bigint NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT pk_collected_fields PRIMARY KEY (workspace_id, conversation_id, key)
)
"""
INDEXES = """
CREATE INDEX ix_articles_list ON articles (workspace_id, create_time DESC, id DESC)
    WHERE NOT is_deleted;
CREATE INDEX ix_duties_due ON duties (due_time) WHERE due_time IS NOT NULL;
CREATE UNIQUE INDEX uq_turns_open ON turns (workspace_id, conversation_id) WHERE end_time IS NULL;
CREATE INDEX ix_turns_list ON turns (workspace_id, end_time DESC, id DESC);
CREATE INDEX ix_turns_conversation
    ON turns (workspace_id, conversation_id, end_time DESC, id DESC)
"""


def upgrade() -> None:
    for language, stem in LANGUAGES.items():
        # Accents are taken off before the words are reduced to their stems.
        op.execute(f"CREATE TEXT SEARCH CONFIGURATION knowledge_{language} (COPY = {language})")
        op.execute(
            f"ALTER TEXT SEARCH CONFIGURATION knowledge_{language} "
            f"ALTER MAPPING FOR hword, hword_part, word WITH unaccent, {stem}"
        )
    for table in (
        ARTICLES, PASSAGES, SETTINGS, WORKSPACE_KEYS, REQUEST_IDS, DUTIES, TURNS, COLLECTED_FIELDS,
    ):  # fmt: skip
        op.execute(table)
    for index in INDEXES.split(";"):
        op.execute(index)
    migrations.tenant_table(op, "articles", app=("SELECT", "INSERT", "UPDATE"), worker=("SELECT",))
    migrations.tenant_table(op, "passages", worker=("SELECT",))
    migrations.tenant_table(
        op, "assistant_settings", app=("SELECT", "INSERT", "UPDATE"), worker=("SELECT",)
    )
    migrations.tenant_table(
        op, "workspace_keys", app=("SELECT", "INSERT", "UPDATE"), worker=("SELECT",)
    )
    migrations.tenant_table(op, "request_ids", app=("SELECT", "INSERT"), worker=())
    migrations.worker_table(op, "duties", app=("SELECT", "UPDATE"))
    migrations.tenant_table(op, "turns", app=("SELECT", "DELETE"))
    migrations.tenant_table(op, "collected_fields", app=("SELECT", "DELETE"))
    migrations.publishing_tables(op)
    migrations.consuming_tables(op)
