"""Numbers events: gives each the next position of the log, in `events`.

A gapless counter in the sending transaction would make all senders of a service wait for each
other, so events are written into the outbox and one statement moves and numbers them. It begins by
locking `log_state`, so two sequencers at once take turns, and a position is given once. All of it
is one function of the session, thus one message to the database, whose transaction begins and ends
with it.

Where nobody would wait, the counting is done by who writes: `tell` numbers events at once when the
log is free and nothing waits in the outbox, and uses the outbox otherwise. A writer on a quiet
system thus spares itself the second transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from chassis.events import Event, text_of
from chassis.ids import WorkspaceId
from chassis.migration_events import CHECKS
from chassis.outbox import MAX_EVENT_BYTES

MAX_BATCH = 500
MAX_BATCH_BYTES = 4 * 2**20

# Each statement of a function sees what was committed before it, so the rows that are moved are
# those under the lock. Looking first: a lock for nothing would be written down, and flushed.
MAKE_SEQUENCE = """
CREATE OR REPLACE FUNCTION pg_temp.sequence(max_count integer, max_bytes bigint)
RETURNS TABLE (gpos bigint, log_epoch text, event_id text, workspace_id text, subject text,
               ordering_key text, payload bytea, create_time timestamptz, traceparent text)
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
IF NOT EXISTS (SELECT FROM outbox) THEN
    RETURN;
END IF;
PERFORM FROM log_state FOR UPDATE;
RETURN QUERY
WITH next AS (
    SELECT id FROM (
        SELECT id, sum(octet_length(payload)) OVER (ORDER BY id) AS size_so_far,
               row_number() OVER (ORDER BY id) AS place
        FROM (SELECT id, payload FROM outbox ORDER BY id LIMIT max_count) AS oldest
    ) AS measured
    WHERE size_so_far <= max_bytes OR place = 1
), taken AS (
    DELETE FROM outbox USING next WHERE outbox.id = next.id RETURNING outbox.*
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY id) AS place FROM taken
), moved AS (
    UPDATE log_state SET last_gpos = last_gpos + (SELECT count(*) FROM taken)
    RETURNING last_gpos - (SELECT count(*) FROM taken) AS base, log_epoch
), kept AS (
    INSERT INTO events (gpos, event_id, workspace_id, subject, ordering_key, payload, create_time,
                        traceparent)
    SELECT base + place, event_id, workspace_id, subject, ordering_key, payload, create_time,
           traceparent
    FROM numbered, moved
), seen AS (
    INSERT INTO log_workspaces SELECT DISTINCT workspace_id FROM taken ON CONFLICT DO NOTHING
)
SELECT base + place AS gpos, log_epoch, event_id::text, workspace_id::text, subject, ordering_key,
       payload, create_time, traceparent
FROM numbered, moved ORDER BY place;
END
$function$
"""
SEQUENCE = "SELECT * FROM pg_temp.sequence($1, $2)"

# Call it last in a transaction, when whatever the events tell of is locked. Then what was committed
# before about the same things is numbered already or seen in the outbox, so their order is kept.
# The lock of the log is never waited for, and held until the end of the transaction; so it is left
# alone while something waits, else writers in turns would keep it from the sequencer for good.
MAKE_TELL = f"""
CREATE OR REPLACE FUNCTION pg_temp.tell(
    event_ids uuid[], workspace_ids uuid[], subjects text[], ordering_keys text[],
    payloads bytea[], at timestamptz, traceparents text[], OUT base bigint, OUT epoch text)
LANGUAGE plpgsql AS $function$
BEGIN
IF NOT EXISTS (SELECT FROM outbox) THEN
    SELECT s.last_gpos, s.log_epoch INTO base, epoch FROM log_state s FOR UPDATE SKIP LOCKED;
END IF;
IF base IS NULL OR EXISTS (SELECT FROM outbox) OR EXISTS (
    SELECT FROM unnest(workspace_ids, subjects, ordering_keys, payloads, traceparents)
        AS e(workspace_id, subject, ordering_key, payload, traceparent)
    WHERE NOT ({" AND ".join(CHECKS.values())})
) THEN
    base := NULL;
    INSERT INTO outbox (
        event_id, workspace_id, subject, ordering_key, payload, create_time, traceparent)
    SELECT e.event_id, e.workspace_id, e.subject, e.ordering_key, e.payload, at, e.traceparent
    FROM unnest(event_ids, workspace_ids, subjects, ordering_keys, payloads, traceparents)
        WITH ORDINALITY
        AS e(event_id, workspace_id, subject, ordering_key, payload, traceparent, place)
    ORDER BY e.place;
ELSE
    UPDATE log_state SET last_gpos = base + cardinality(event_ids);
    INSERT INTO events (gpos, event_id, workspace_id, subject, ordering_key, payload, create_time,
                        traceparent)
    SELECT base + e.place, e.event_id, e.workspace_id, e.subject, e.ordering_key, e.payload, at,
           e.traceparent
    FROM unnest(event_ids, workspace_ids, subjects, ordering_keys, payloads, traceparents)
        WITH ORDINALITY
        AS e(event_id, workspace_id, subject, ordering_key, payload, traceparent, place);
    INSERT INTO log_workspaces SELECT DISTINCT unnest(workspace_ids) ON CONFLICT DO NOTHING;
END IF;
END
$function$
"""
"""`base` is the position before the first event; NULL when they went into the outbox."""

STAND = """
SELECT log_epoch, last_gpos, EXISTS (SELECT FROM outbox) AS has_waiting,
       (SELECT gpos FROM events ORDER BY gpos LIMIT 1) AS first_gpos
FROM log_state
"""

READ = """
SELECT gpos, log_epoch, event_id::text, workspace_id::text, subject, ordering_key, payload,
       create_time, traceparent
FROM (
    SELECT *, sum(octet_length(payload)) OVER (ORDER BY gpos) AS size_so_far
    FROM (SELECT * FROM events WHERE gpos >= $1 AND gpos <= $2 ORDER BY gpos LIMIT $3) AS oldest
) AS measured, log_state
WHERE size_so_far <= $4 OR gpos = $1
ORDER BY gpos
"""
"""In order from $1 to $2, at most $3 events and $4 bytes, but always the first one."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class LogStand:
    """How a log stands."""

    log_epoch: str
    last_gpos: int
    """The newest position given; 0 before the first."""
    first_gpos: int
    """The oldest event kept; one above `last_gpos` when none is."""
    has_waiting: bool
    """Whether events wait for their number."""


async def prepare(connection: Connection) -> None:
    """Make a connection fit for `sequence`."""
    await connection.execute(MAKE_SEQUENCE)


async def sequence(connection: Connection) -> list[Event]:
    """Number the oldest waiting events; what comes back is committed and final."""
    return events_of(await connection.fetch(SEQUENCE, MAX_BATCH, MAX_BATCH_BYTES))


def may_leave_some(events: Sequence[Event]) -> bool:
    """Whether a batch was ended by its limits, so that more may wait."""
    size = sum(len(event.payload) for event in events)
    return len(events) == MAX_BATCH or size > MAX_BATCH_BYTES - MAX_EVENT_BYTES


async def stand(connection: Connection) -> LogStand:
    """How the log stands now."""
    row = await connection.fetchrow(STAND)
    if row is None:
        raise LookupError("log_state has no row: the database was not migrated completely")
    first = row["first_gpos"]
    return LogStand(
        log_epoch=row["log_epoch"],
        last_gpos=row["last_gpos"],
        first_gpos=row["last_gpos"] + 1 if first is None else first,
        has_waiting=row["has_waiting"],
    )


async def read(
    connection: Connection,
    from_gpos: int,
    *,
    to_gpos: int = 2**62,
    count: int = MAX_BATCH,
    size_bytes: int = MAX_BATCH_BYTES,
) -> list[Event]:
    """The events from a position on; none when it is not kept any more, or not given yet."""
    events = events_of(await connection.fetch(READ, from_gpos, to_gpos, count, size_bytes))
    return events if events and events[0].gpos == from_gpos else []


def events_of(rows: Iterable[asyncpg.Record]) -> list[Event]:
    """Rows as events."""
    return [
        Event(
            row["gpos"],
            row["log_epoch"],
            row["event_id"],
            WorkspaceId(row["workspace_id"]),
            row["subject"],
            row["ordering_key"],
            row["payload"],
            text_of(row["create_time"]),
            row["traceparent"],
        )
        for row in rows
    ]
