"""The tables of messaging: threads, messages, attempts and what dispatch needs."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE threads (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            channel_kind text NOT NULL,
            external_id text NOT NULL,
            customer_name text NOT NULL,
            mode text NOT NULL,
            mode_epoch bigint NOT NULL,
            last_seq bigint NOT NULL,
            inbound_count bigint NOT NULL,
            last_message_time timestamptz,
            create_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_threads PRIMARY KEY (workspace_id, conversation_id),
            CONSTRAINT uq_threads_external_id UNIQUE (workspace_id, channel_id, external_id),
            CONSTRAINT ck_threads_channel_kind CHECK (channel_kind IN ('web_chat',
                'simulator', 'whatsapp', 'messenger', 'instagram', 'telegram')),
            CONSTRAINT ck_threads_mode CHECK (mode IN ('ai', 'manual'))
        ) WITH (fillfactor = 60)
    """)
    migrations.tenant_table(op, "threads")
    op.execute("""
        CREATE TABLE messages (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            seq bigint NOT NULL,
            id uuid NOT NULL,
            client_message_id uuid NOT NULL,
            direction text NOT NULL,
            author_kind text NOT NULL,
            author_id text NOT NULL,
            author_display_name text NOT NULL,
            text text NOT NULL,
            delivery_status text,
            failure_reason text,
            failure_platform_code text,
            failure_is_retryable boolean,
            failure_may_have_arrived boolean,
            attempt_count integer NOT NULL,
            inbound_ordinal bigint NOT NULL,
            create_time timestamptz NOT NULL,
            platform_time timestamptz,
            version bigint NOT NULL,
            CONSTRAINT pk_messages PRIMARY KEY (workspace_id, conversation_id, seq),
            CONSTRAINT uq_messages_id UNIQUE (workspace_id, id),
            CONSTRAINT uq_messages_client_message_id UNIQUE (workspace_id, client_message_id),
            CONSTRAINT ck_messages_direction CHECK (direction IN ('inbound', 'outbound')),
            CONSTRAINT ck_messages_author_kind CHECK (author_kind IN ('customer', 'member',
                'ai', 'phone_app', 'system')),
            CONSTRAINT ck_messages_delivery_status CHECK (delivery_status IN ('queued',
                'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed', 'delivered',
                'read'))
        ) WITH (fillfactor = 85)
    """)
    migrations.tenant_table(op, "messages")
    op.execute("""
        CREATE TABLE attempts (
            workspace_id uuid NOT NULL,
            message_id uuid NOT NULL,
            number integer NOT NULL,
            conversation_id uuid NOT NULL,
            seq bigint NOT NULL,
            channel_id uuid NOT NULL,
            delivery_status text NOT NULL,
            failure_reason text,
            failure_platform_code text,
            failure_is_retryable boolean,
            failure_may_have_arrived boolean,
            is_open boolean NOT NULL,
            is_cancelled boolean DEFAULT false NOT NULL,
            channel_key text NOT NULL,
            platform_message_id text,
            try_count integer DEFAULT 0 NOT NULL,
            first_try_time timestamptz,
            answer_time timestamptz,
            fence bigint,
            create_time timestamptz NOT NULL,
            CONSTRAINT pk_attempts PRIMARY KEY (workspace_id, message_id, number),
            CONSTRAINT ck_attempts_delivery_status CHECK (delivery_status IN ('queued',
                'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed', 'delivered',
                'read'))
        ) WITH (fillfactor = 80)
    """)
    op.execute(
        "CREATE INDEX ix_attempts_open ON attempts (workspace_id, conversation_id, seq, "
        "number) WHERE is_open"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_attempts_platform_message_id ON attempts (workspace_id, "
        "channel_id, platform_message_id) WHERE platform_message_id IS NOT NULL"
    )
    migrations.tenant_table(op, "attempts")
    op.execute("""
        CREATE TABLE receipts (
            workspace_id uuid NOT NULL,
            message_id uuid NOT NULL,
            ordinal bigint GENERATED ALWAYS AS IDENTITY,
            id uuid NOT NULL,
            attempt_number integer NOT NULL,
            delivery_status text NOT NULL,
            source text NOT NULL,
            platform_message_id text,
            failure_reason text,
            failure_platform_code text,
            failure_is_retryable boolean,
            failure_may_have_arrived boolean,
            author_kind text,
            author_id text,
            author_display_name text,
            answer_millis bigint DEFAULT 0 NOT NULL,
            create_time timestamptz NOT NULL,
            platform_time timestamptz,
            CONSTRAINT pk_receipts PRIMARY KEY (workspace_id, message_id, ordinal),
            CONSTRAINT ck_receipts_delivery_status CHECK (delivery_status IN ('queued',
                'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed', 'delivered',
                'read')),
            CONSTRAINT ck_receipts_source CHECK (source IN ('api', 'dispatch', 'webhook',
                'web_chat', 'deadline'))
        )
    """)
    # Evidence is only ever added.
    kept = ("SELECT", "INSERT")
    migrations.tenant_table(op, "receipts", app=kept, worker=kept)
    op.execute("""
        CREATE TABLE pending_receipts (
            workspace_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            platform_message_id text NOT NULL,
            id uuid NOT NULL,
            delivery_status text NOT NULL,
            failure_reason text,
            failure_platform_code text,
            failure_is_retryable boolean,
            failure_may_have_arrived boolean,
            create_time timestamptz NOT NULL,
            platform_time timestamptz,
            expire_time timestamptz NOT NULL,
            CONSTRAINT pk_pending_receipts PRIMARY KEY (workspace_id, channel_id,
                platform_message_id, id),
            CONSTRAINT ck_pending_receipts_delivery_status CHECK (delivery_status IN
                ('queued', 'sending', 'unknown', 'presumed_failed', 'sent', 'reported_failed',
                'delivered', 'read'))
        )
    """)
    op.execute(
        "CREATE INDEX ix_pending_receipts_expire_time ON pending_receipts (workspace_id, "
        "expire_time)"
    )
    migrations.tenant_table(op, "pending_receipts")
    op.execute("""
        CREATE TABLE dispatch_lanes (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            next_attempt_time timestamptz,
            lease_until timestamptz,
            lease_owner text,
            fence bigint DEFAULT 0 NOT NULL,
            CONSTRAINT pk_dispatch_lanes PRIMARY KEY (workspace_id, conversation_id)
        ) WITH (fillfactor = 50)
    """)
    op.execute(
        "CREATE INDEX ix_dispatch_lanes_next_attempt_time ON dispatch_lanes "
        "(next_attempt_time) WHERE next_attempt_time IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX ix_dispatch_lanes_channel_id ON dispatch_lanes (workspace_id, channel_id)"
    )
    migrations.worker_table(op, "dispatch_lanes", app=("SELECT", "INSERT", "UPDATE"))
    op.execute("""
        CREATE TABLE channels (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            display_name text NOT NULL,
            state text NOT NULL,
            state_reason text NOT NULL,
            settings jsonb NOT NULL,
            create_time timestamptz NOT NULL,
            state_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_channels PRIMARY KEY (workspace_id, id),
            CONSTRAINT ck_channels_kind CHECK (kind IN ('web_chat', 'simulator', 'whatsapp',
                'messenger', 'instagram', 'telegram')),
            CONSTRAINT ck_channels_state CHECK (state IN ('connected', 'not_connected',
                'reconnection_needed'))
        )
    """)
    migrations.tenant_table(op, "channels")
    op.execute("""
        CREATE TABLE channel_credentials (
            workspace_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            ciphertext bytea NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_channel_credentials PRIMARY KEY (workspace_id, channel_id),
            CONSTRAINT fk_channel_credentials_channel_id FOREIGN KEY (workspace_id,
                channel_id) REFERENCES channels (workspace_id, id)
        )
    """)
    migrations.tenant_table(op, "channel_credentials")
    op.execute("""
        CREATE TABLE channel_routes (
            channel_id uuid NOT NULL,
            workspace_id uuid NOT NULL,
            kind text NOT NULL,
            CONSTRAINT pk_channel_routes PRIMARY KEY (channel_id)
        )
    """)
    migrations.worker_table(op, "channel_routes", app=("SELECT", "INSERT"))
    op.execute("""
        CREATE TABLE channel_buckets (
            channel_id uuid NOT NULL,
            workspace_id uuid NOT NULL,
            tokens double precision NOT NULL,
            tokens_per_second double precision NOT NULL,
            max_tokens double precision NOT NULL,
            refill_time timestamptz NOT NULL,
            paused_until timestamptz,
            CONSTRAINT pk_channel_buckets PRIMARY KEY (channel_id)
        ) WITH (fillfactor = 50)
    """)
    migrations.worker_table(op, "channel_buckets", app=("SELECT", "INSERT", "UPDATE"))
    op.execute("""
        CREATE TABLE webhook_inbox (
            id bigint GENERATED ALWAYS AS IDENTITY,
            workspace_id uuid NOT NULL,
            channel_id uuid NOT NULL,
            dedupe_key text NOT NULL,
            raw bytea NOT NULL,
            receive_time timestamptz NOT NULL,
            process_time timestamptz,
            try_count integer DEFAULT 0 NOT NULL,
            next_try_time timestamptz,
            last_error text,
            CONSTRAINT pk_webhook_inbox PRIMARY KEY (id),
            CONSTRAINT uq_webhook_inbox_dedupe_key UNIQUE (channel_id, dedupe_key)
        )
    """)
    op.execute(
        "CREATE INDEX ix_webhook_inbox_next_try_time ON webhook_inbox (next_try_time, id) "
        "WHERE next_try_time IS NOT NULL"
    )
    migrations.worker_table(op, "webhook_inbox")
    op.execute("""
        CREATE TABLE web_chat_visitors (
            workspace_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            delivered_up_to_seq bigint NOT NULL,
            read_up_to_seq bigint NOT NULL,
            update_time timestamptz NOT NULL,
            CONSTRAINT pk_web_chat_visitors PRIMARY KEY (workspace_id, conversation_id)
        ) WITH (fillfactor = 60)
    """)
    migrations.tenant_table(op, "web_chat_visitors")
    op.execute("""
        CREATE TABLE messaging_settings (
            workspace_id uuid NOT NULL,
            default_mode text NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_messaging_settings PRIMARY KEY (workspace_id),
            CONSTRAINT ck_messaging_settings_default_mode CHECK (default_mode IN ('ai',
                'manual'))
        )
    """)
    migrations.tenant_table(op, "messaging_settings")
    op.execute("""
        CREATE TABLE request_ids (
            workspace_id uuid NOT NULL,
            request_id uuid NOT NULL,
            method text NOT NULL,
            digest bytea NOT NULL,
            entity_id text NOT NULL,
            create_time timestamptz NOT NULL,
            CONSTRAINT pk_request_ids PRIMARY KEY (workspace_id, request_id)
        )
    """)
    migrations.tenant_table(op, "request_ids")
    migrations.publishing_tables(op)
