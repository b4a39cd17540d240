"""Erasures in SQL: asked for by people, done by whoever holds the lease."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from chassis.database import Reading, Transaction
from chassis.ids import WorkspaceId
from services.conversation.model.erasure import ErasedThread, Erasure
from services.conversation.model.faults import ErasureNotFound

COLUMNS = "id, contact_id, create_time, done::text, failure_count"
GET = f"SELECT {COLUMNS} FROM erasures WHERE workspace_id = $1 AND id = $2"
THREADS = """
SELECT conversation_id::text, last_seq, log_epoch, gpos FROM erasure_threads
WHERE workspace_id = $1 AND erasure_id = $2 ORDER BY conversation_id
"""
# One at a time asks for a contact: whoever comes second finds the erasure of the first.
ASK_ALONE = "SELECT pg_advisory_xact_lock(hashtext('erasure'), hashtext($1))"
RUNNING = """
SELECT id::text FROM erasures
WHERE workspace_id = $1 AND contact_id = $2 AND next_try_time IS NOT NULL
"""
ADD = """
INSERT INTO erasures (workspace_id, id, contact_id, create_time, next_try_time)
VALUES ($1, $2, $3, $4, $4)
"""
ADD_THREADS = """
INSERT INTO erasure_threads (workspace_id, erasure_id, conversation_id)
SELECT $1, $2, * FROM unnest($3::uuid[])
"""
LEASE = """
UPDATE erasures SET lease_until = $1 + $2::interval, fence = fence + 1
WHERE (workspace_id, id) = (
    SELECT workspace_id, id FROM erasures
    WHERE next_try_time <= $1 AND (lease_until IS NULL OR lease_until <= $1)
    ORDER BY next_try_time LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING workspace_id::text, id::text, fence, try_count
"""
# A fence: who lost the lease changes nothing of it. What they erased is erased all the same.
NOTE_DONE = """
UPDATE erasures SET done = done || jsonb_build_object($4::text, $5::text), try_count = 0,
    next_try_time = CASE WHEN $6 THEN NULL ELSE next_try_time END, lease_until = $7
WHERE workspace_id = $1 AND id = $2 AND fence = $3
"""
PUT_OFF = """
UPDATE erasures SET next_try_time = $4, try_count = try_count + 1, lease_until = NULL,
    failure_count = failure_count + $5
WHERE workspace_id = $1 AND id = $2 AND fence = $3
"""
BEGIN_AGAIN = "UPDATE erasures SET done = '{}' WHERE workspace_id = $1 AND id = $2"
NOTE_THREAD = """
UPDATE erasure_threads SET last_seq = $4, log_epoch = $5, gpos = $6
WHERE workspace_id = $1 AND erasure_id = $2 AND conversation_id = $3
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on an erasure for a while."""

    workspace_id: WorkspaceId
    erasure_id: str
    fence: int
    try_count: int
    """Of the step it is at, in vain so far."""


async def get(reading: Reading, erasure_id: str) -> Erasure:
    """One erasure. Raises: ErasureNotFound."""
    key = (reading.workspace_id, erasure_id)
    row = await reading.raw.fetchrow(GET, *key)
    if row is None:
        raise ErasureNotFound(erasure_id)
    return _erasure(row, await reading.raw.fetch(THREADS, *key))


async def running_of(transaction: Transaction, contact_id: str) -> str | None:
    """The erasure that is under way for a contact; nobody else begins one until the end."""
    await transaction.raw.execute(ASK_ALONE, contact_id)
    found: str | None = await transaction.raw.fetchval(
        RUNNING, transaction.workspace_id, contact_id
    )
    return found


async def add(transaction: Transaction, erasure: Erasure) -> None:
    """Write a new erasure, due at once."""
    workspace_id = transaction.workspace_id
    await transaction.raw.execute(
        ADD, workspace_id, erasure.id, erasure.contact_id, erasure.create_time
    )
    await transaction.raw.execute(ADD_THREADS, workspace_id, erasure.id, erasure.conversation_ids)


async def add_threads(
    transaction: Transaction, erasure_id: str, conversation_ids: Sequence[str]
) -> None:
    """More conversations came to the contact meanwhile: every step is done once more."""
    key = (transaction.workspace_id, erasure_id)
    await transaction.raw.execute(ADD_THREADS, *key, list(conversation_ids))
    await transaction.raw.execute(BEGIN_AGAIN, *key)


async def lease(transaction: Transaction, now: datetime, span: timedelta) -> Lease | None:
    """The erasure that waits longest, for this process alone; for the worker role."""
    row = await transaction.raw.fetchrow(LEASE, now, span)
    return None if row is None else Lease(WorkspaceId(row[0]), *row[1:])


async def note_done(
    transaction: Transaction,
    lease: Lease,
    step: str,
    *,
    at: datetime,
    is_last: bool,
    leased_until: datetime | None,
) -> None:
    """A step is done; the lease goes on, or ends with the last step."""
    await transaction.raw.execute(
        NOTE_DONE, *_key(lease), step, at.isoformat(), is_last, None if is_last else leased_until
    )


async def put_off(
    transaction: Transaction, lease: Lease, until: datetime, *, has_failed: bool
) -> None:
    """The step it is at could not be finished; it is tried again then."""
    await transaction.raw.execute(PUT_OFF, *_key(lease), until, int(has_failed))


async def note_threads(
    transaction: Transaction, erasure_id: str, threads: Sequence[ErasedThread]
) -> None:
    """What messaging said of the end of threads."""
    await transaction.raw.executemany(
        NOTE_THREAD,
        [
            (
                transaction.workspace_id,
                erasure_id,
                thread.conversation_id,
                thread.last_seq,
                thread.log_epoch,
                thread.gpos,
            )
            for thread in threads
        ],
    )


def _key(lease: Lease) -> tuple[object, ...]:
    return (lease.workspace_id, lease.erasure_id, lease.fence)


def _erasure(row: asyncpg.Record, threads: Sequence[asyncpg.Record]) -> Erasure:
    return Erasure(
        id=str(row["id"]),
        contact_id=str(row["contact_id"]),
        threads=tuple(ErasedThread(*thread) for thread in threads),
        create_time=row["create_time"],
        done={step: datetime.fromisoformat(at) for step, at in json.loads(row["done"]).items()},
        failure_count=row["failure_count"],
    )
