"""Parked events: those a consumer could not apply, and those that wait in line behind them.

One line per workspace and ordering key. Its head is *retrying* until it was tried often enough,
then *dead* until somebody asks for it again; the rest of the line is *queued*. Every change
happens under the consumer's locked cursor, so the reader and the retries take turns.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from chassis.database import Transaction
from chassis.errors import Fault
from chassis.events import SNAPSHOT_GPOS, Event, text_of
from chassis.ids import WorkspaceId

RETRY_AFTER = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=3),
)
"""After the first, second … failure; one more failure than there are pauses is the last."""
MAX_TRIES = len(RETRY_AFTER) + 1
MAX_ERROR_CHARACTERS = 300

Line = tuple[str, str]
"""Workspace and ordering key."""

PARK = """
INSERT INTO parked_events (consumer, gpos, stream, log_epoch, event_id, workspace_id, subject,
                           ordering_key, payload, create_time, state, attempt_count, last_error,
                           park_time, next_attempt_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""

DUE = """
SELECT * FROM parked_events
WHERE consumer = $1 AND state = 'retrying' AND next_attempt_time <= $2
ORDER BY next_attempt_time, gpos LIMIT 1
"""

PROMOTE = """
UPDATE parked_events SET state = 'retrying', next_attempt_time = $4
WHERE consumer = $1 AND gpos = (
    SELECT gpos FROM parked_events
    WHERE consumer = $1 AND workspace_id = $2 AND ordering_key = $3 ORDER BY gpos LIMIT 1
)
"""


def line_of(event: Event) -> Line:
    """Which line an event belongs to."""
    return event.workspace_id, event.ordering_key


async def waiting_lines(
    transaction: Transaction, consumer: str, events: Iterable[Event]
) -> set[Line]:
    """Those lines of the events in which something is parked already."""
    lines = list({line_of(event) for event in events})
    rows = await transaction.raw.fetch(
        "SELECT DISTINCT workspace_id::text, ordering_key FROM parked_events "
        "WHERE consumer = $1 AND (workspace_id, ordering_key) IN "
        "(SELECT * FROM unnest($2::uuid[], $3::text[]))",
        consumer,
        [workspace_id for workspace_id, _ in lines],
        [key for _, key in lines],
    )
    return {(row["workspace_id"], row["ordering_key"]) for row in rows}


async def queue(
    transaction: Transaction, consumer: str, stream: str, events: Sequence[Event], at: datetime
) -> None:
    """Put events behind what is parked in their line."""
    if events:
        await transaction.raw.executemany(
            PARK, [(*_row(consumer, stream, event), "queued", 0, "", at, None) for event in events]
        )


async def park(
    transaction: Transaction,
    consumer: str,
    stream: str,
    event: Event,
    error: Exception,
    at: datetime,
) -> None:
    """Park an event that failed once, at the head of its line."""
    await transaction.raw.execute(
        PARK, *_row(consumer, stream, event), "retrying", 1, summary_of(error), at, _next_try(1, at)
    )


async def next_due(transaction: Transaction, consumer: str, now: datetime) -> Event | None:
    """The parked event to try now."""
    row = await transaction.raw.fetchrow(DUE, consumer, now)
    return _event(row) if row is not None else None


async def remove(transaction: Transaction, consumer: str, event: Event, now: datetime) -> None:
    """Take an applied event out of its line; the next one is tried at once."""
    await transaction.raw.execute(
        "DELETE FROM parked_events WHERE consumer = $1 AND gpos = $2", consumer, event.gpos
    )
    await transaction.raw.execute(PROMOTE, consumer, *line_of(event), now)


async def note_failure(
    transaction: Transaction, consumer: str, event: Event, error: Exception, now: datetime
) -> bool:
    """Count one more failure; True when it was the last try."""
    tries: int = await transaction.raw.fetchval(
        "SELECT attempt_count + 1 FROM parked_events WHERE consumer = $1 AND gpos = $2",
        consumer,
        event.gpos,
    )
    is_dead = tries >= MAX_TRIES
    await transaction.raw.execute(
        "UPDATE parked_events SET attempt_count = $3, last_error = $4, state = $5, "
        "next_attempt_time = $6 WHERE consumer = $1 AND gpos = $2",
        consumer,
        event.gpos,
        tries,
        summary_of(error),
        "dead" if is_dead else "retrying",
        None if is_dead else _next_try(tries, now),
    )
    return is_dead


async def redrive(transaction: Transaction, consumer: str, ordering_key: str, now: datetime) -> int:
    """Try dead events again, each line in its order; how many."""
    done = await transaction.raw.execute(
        "UPDATE parked_events SET state = 'retrying', attempt_count = 0, next_attempt_time = $3 "
        "WHERE consumer = $1 AND state = 'dead' AND ($2 = '' OR ordering_key = $2)",
        consumer,
        ordering_key,
        now,
    )
    return int(done.rpartition(" ")[2])


async def forget(transaction: Transaction, consumer: str, *, up_to_gpos: int) -> int:
    """Drop what a snapshot has overtaken; how many."""
    done = await transaction.raw.execute(
        "DELETE FROM parked_events WHERE consumer = $1 AND gpos BETWEEN 1 AND $2",
        consumer,
        up_to_gpos,
    )
    return int(done.rpartition(" ")[2])


async def forget_line(
    transaction: Transaction, consumer: str, line: Line, *, up_to_gpos: int, now: datetime
) -> None:
    """Drop the older part of one line, and try the next of it at once; under the locked cursor."""
    done = await transaction.raw.execute(
        "DELETE FROM parked_events WHERE consumer = $1 AND workspace_id = $2 "
        "AND ordering_key = $3 AND gpos <= $4",
        consumer,
        *line,
        up_to_gpos,
    )
    if not done.endswith(" 0"):
        await transaction.raw.execute(PROMOTE, consumer, *line, now)


async def forget_entities(transaction: Transaction, consumer: str) -> None:
    """Drop the entities an earlier rebuild parked; they stand below position 1."""
    await transaction.raw.execute(
        "DELETE FROM parked_events WHERE consumer = $1 AND gpos < 1", consumer
    )


def as_received(event: Event) -> Event:
    """A parked event as `apply` first got it."""
    return event._replace(gpos=max(event.gpos, SNAPSHOT_GPOS))


def summary_of(error: BaseException) -> str:
    """An error's type, reason and place: never its message, which may hold customers' words."""
    parts = [type(error).__qualname__]
    if isinstance(error, Fault):
        parts.append(error.reason)
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        parts.append(f"{Path(frames[-1].filename).name}:{frames[-1].lineno}")
    return " ".join(parts)[:MAX_ERROR_CHARACTERS]


def _next_try(tries: int, now: datetime) -> datetime:
    return now + RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]


def _row(consumer: str, stream: str, event: Event) -> tuple[object, ...]:
    return (
        consumer,
        event.gpos,
        stream,
        event.epoch,
        event.event_id,
        event.workspace_id,
        event.subject,
        event.ordering_key,
        event.payload,
        event.time,
    )


def _event(row: asyncpg.Record) -> Event:
    return Event(
        gpos=row["gpos"],
        epoch=row["log_epoch"],
        event_id=str(row["event_id"]),
        workspace_id=WorkspaceId(str(row["workspace_id"])),
        subject=row["subject"],
        ordering_key=row["ordering_key"],
        payload=row["payload"],
        time_text=text_of(row["create_time"]),
    )
