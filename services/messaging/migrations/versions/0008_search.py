"""Search by what messages say: their words, written by a background reader of the log."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE message_texts (
            workspace_id uuid NOT NULL,
            message_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            seq bigint NOT NULL,
            channel_id uuid NOT NULL,
            direction text NOT NULL,
            create_time timestamptz NOT NULL,
            words text[] COLLATE "C" NOT NULL,
            CONSTRAINT pk_message_texts PRIMARY KEY (workspace_id, message_id),
            CONSTRAINT ck_message_texts_direction CHECK (direction IN ('inbound', 'outbound'))
        )
    """)
    op.execute(
        "CREATE INDEX ix_message_texts_conversation_id ON message_texts (workspace_id, "
        "conversation_id, create_time, message_id)"
    )
    # Rows are only ever added: vacuum has to come by itself to mark the pages that an index-only
    # scan then need not visit.
    op.execute("""
        CREATE TABLE message_words (
            workspace_id uuid NOT NULL,
            word text COLLATE "C" NOT NULL,
            create_time timestamptz NOT NULL,
            message_id uuid NOT NULL,
            CONSTRAINT pk_message_words PRIMARY KEY (workspace_id, word, create_time, message_id)
        ) WITH (autovacuum_vacuum_insert_scale_factor = 0.02)
    """)
    op.execute("""
        CREATE TABLE words (
            workspace_id uuid NOT NULL,
            word text COLLATE "C" NOT NULL,
            message_count bigint NOT NULL,
            CONSTRAINT pk_words PRIMARY KEY (workspace_id, word),
            CONSTRAINT ck_words_message_count CHECK (message_count >= 0)
        ) WITH (fillfactor = 70)
    """)
    op.execute("""
        CREATE TABLE word_endings (
            workspace_id uuid NOT NULL,
            ending text COLLATE "C" NOT NULL,
            word text COLLATE "C" NOT NULL,
            CONSTRAINT pk_word_endings PRIMARY KEY (workspace_id, ending, word)
        )
    """)
    op.execute("""
        CREATE TABLE text_index (
            id boolean DEFAULT true NOT NULL,
            log_epoch text DEFAULT '' NOT NULL,
            gpos bigint DEFAULT 0 NOT NULL,
            event_time timestamptz,
            walk_workspace_id uuid,
            walk_message_id uuid,
            CONSTRAINT pk_text_index PRIMARY KEY (id),
            CONSTRAINT ck_text_index_one_row CHECK (id),
            CONSTRAINT ck_text_index_walk
                CHECK ((walk_workspace_id IS NULL) = (walk_message_id IS NULL))
        ) WITH (fillfactor = 50)
    """)
    op.execute("INSERT INTO text_index DEFAULT VALUES")
    # Requests read; only the worker that follows the log writes.
    for table in ("message_texts", "message_words", "words", "word_endings"):
        migrations.tenant_table(op, table, app=("SELECT",))
    migrations.worker_table(op, "text_index", worker=("SELECT", "UPDATE"))
