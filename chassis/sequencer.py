"""Numbers events: moves outbox rows into `events`, giving each the next position of the log.

A gapless counter in the sending transaction would make all senders of a service wait for each
other; here only this one statement counts. Every transaction begins by locking `log_state`, so
two sequencers at once take turns, and a position is given once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from chassis.events import Event, text_of
from chassis.ids import WorkspaceId

MAX_BATCH = 500
MAX_BATCH_BYTES = 4 * 2**20

LOCK = "BEGIN; SELECT last_gpos FROM log_state FOR UPDATE"

MOVE = """
WITH next AS (
    SELECT id FROM (
        SELECT id, sum(octet_length(payload)) OVER (ORDER BY id) AS size_so_far,
               row_number() OVER (ORDER BY id) AS place
        FROM (SELECT id, payload FROM outbox ORDER BY id LIMIT $1) AS oldest
    ) AS measured
    WHERE size_so_far <= $2 OR place = 1
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
FROM numbered, moved ORDER BY place
"""

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


async def sequence(connection: Connection) -> list[Event]:
    """Number the oldest waiting events; what comes back is committed and final."""
    await connection.execute(LOCK)
    try:
        events = events_of(await connection.fetch(MOVE, MAX_BATCH, MAX_BATCH_BYTES))
        # Nothing was there: a commit would be an fsync for nothing.
        await connection.execute("COMMIT" if events else "ROLLBACK")
    except BaseException:
        # The connection ends with its owner's run, and the transaction with it.
        connection.terminate()
        raise
    return events


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
