"""What migration scripts build the tables of events with: outbox, log, cursors, parked events."""

from __future__ import annotations

from chassis.migration_tables import Operations, worker_table
from chassis.outbox import MAX_EVENT_BYTES

# No regular expressions: PostgreSQL builds the automaton anew for each row, which for these took
# a third of the time of a send.
CHECKS = {
    "ck_outbox_subject": r"""
        starts_with(subject, 'inbox.') AND right(subject, 37) = '.' || workspace_id::text
        AND strpos(subject, '..') = 0 AND translate(subject, E' \t\r\n*>', '') = subject""",
    "ck_outbox_ordering_key": r"""
        octet_length(ordering_key) BETWEEN 1 AND 200
        AND char_length(ordering_key) = octet_length(ordering_key)
        AND translate(ordering_key, E' \t\r\n', '') = ordering_key""",
    "ck_outbox_traceparent": """
        octet_length(traceparent) <= 64 AND translate(traceparent, '0123456789abcdef-', '') = ''""",
    "ck_outbox_payload": f"octet_length(payload) <= {MAX_EVENT_BYTES}",
}
"""What the log cannot carry: as a subject or header of NATS, or as a message."""


def publishing_tables(op: Operations) -> None:
    """The tables of a service that publishes events: the outbox, the log, its stand.

    The checks keep out what the log could not carry: one such row would stop the relay for good.
    """
    checks = ", ".join(f"CONSTRAINT {name} CHECK ({rule})" for name, rule in CHECKS.items())
    columns = f"""
        event_id uuid NOT NULL,
        workspace_id uuid NOT NULL,
        subject text NOT NULL,
        ordering_key text NOT NULL,
        payload bytea NOT NULL,
        create_time timestamptz NOT NULL,
        traceparent text NOT NULL DEFAULT '',
        {checks}
    """
    # CACHE 1: within one thread, whose row is locked first, id order is commit order.
    # The table is a queue: dead rows are vacuumed by their number, not by their share.
    op.execute(f"""
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
            CONSTRAINT pk_outbox PRIMARY KEY (id),
            {columns}
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                autovacuum_vacuum_insert_scale_factor = 0,
                autovacuum_vacuum_insert_threshold = 50000)
    """)
    # The checks of `outbox` hold for `events`: its rows come from there and nowhere else.
    plain = columns.partition("CONSTRAINT")[0].rstrip().rstrip(",")
    op.execute(f"""
        CREATE TABLE events (
            gpos bigint NOT NULL,
            CONSTRAINT pk_events PRIMARY KEY (gpos),
            {plain}
        )
    """)
    op.execute("""
        CREATE TABLE log_state (
            id boolean NOT NULL DEFAULT true,
            log_epoch text NOT NULL DEFAULT gen_random_uuid()::text,
            last_gpos bigint NOT NULL DEFAULT 0,
            CONSTRAINT pk_log_state PRIMARY KEY (id),
            CONSTRAINT ck_log_state_one_row CHECK (id)
        )
    """)
    op.execute("INSERT INTO log_state DEFAULT VALUES")
    # Every workspace the log ever had an event of: what a snapshot walks through.
    op.execute("""
        CREATE TABLE log_workspaces (
            workspace_id uuid NOT NULL,
            CONSTRAINT pk_log_workspaces PRIMARY KEY (workspace_id)
        )
    """)
    worker_table(op, "outbox", app=("INSERT",))
    worker_table(op, "events")
    worker_table(op, "log_state", worker=("SELECT", "UPDATE"))
    worker_table(op, "log_workspaces", worker=("SELECT", "INSERT"))


def plain_outbox_checks(op: Operations) -> None:
    """Give an outbox that was made with regular expressions the checks of one made today."""
    for name, rule in CHECKS.items():
        op.execute(f"ALTER TABLE outbox DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE outbox ADD CONSTRAINT {name} CHECK ({rule})")


def erasing_tables(op: Operations) -> None:
    """What a publishing service needs that erases events: those still to leave the stream."""
    op.execute("""
        CREATE TABLE erased_events (
            gpos bigint NOT NULL,
            workspace_id uuid NOT NULL,
            ordering_key text NOT NULL,
            CONSTRAINT pk_erased_events PRIMARY KEY (gpos)
        )
    """)
    op.execute(
        "CREATE INDEX ix_erased_events_ordering_key ON erased_events (workspace_id, ordering_key)"
    )
    worker_table(op, "erased_events", worker=("SELECT", "INSERT", "DELETE"))


def consuming_tables(op: Operations) -> None:
    """The tables of a service that consumes events: `consumer_cursors`, `parked_events`."""
    op.execute("""
        CREATE TABLE consumer_cursors (
            consumer text NOT NULL,
            stream text NOT NULL,
            log_epoch text NOT NULL,
            gpos bigint NOT NULL,
            CONSTRAINT pk_consumer_cursors PRIMARY KEY (consumer)
        ) WITH (fillfactor = 50)
    """)
    op.execute("""
        CREATE TABLE parked_events (
            consumer text NOT NULL,
            gpos bigint NOT NULL,
            stream text NOT NULL,
            log_epoch text NOT NULL,
            event_id uuid NOT NULL,
            workspace_id uuid NOT NULL,
            subject text NOT NULL,
            ordering_key text NOT NULL,
            payload bytea NOT NULL,
            create_time timestamptz NOT NULL,
            state text NOT NULL,
            attempt_count integer NOT NULL DEFAULT 0,
            last_error text NOT NULL DEFAULT '',
            park_time timestamptz NOT NULL,
            next_attempt_time timestamptz,
            CONSTRAINT pk_parked_events PRIMARY KEY (consumer, gpos),
            CONSTRAINT ck_parked_events_state CHECK (state IN ('retrying', 'queued', 'dead')),
            CONSTRAINT ck_parked_events_next_attempt_time
                CHECK ((state = 'retrying') = (next_attempt_time IS NOT NULL))
        )
    """)
    op.execute(
        "CREATE INDEX ix_parked_events_line "
        "ON parked_events (consumer, workspace_id, ordering_key, gpos)"
    )
    op.execute(
        "CREATE INDEX ix_parked_events_due ON parked_events (consumer, next_attempt_time) "
        "WHERE state = 'retrying'"
    )
    worker_table(op, "consumer_cursors")
    worker_table(op, "parked_events")
