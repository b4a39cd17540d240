"""Duties in SQL: what is owed, what is due, and who works on it.

Due times are compared by the database's clock, so workers whose clocks differ agree on a lease; a
test that owns time gives its own instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.assistant.model.turns import Duty, Mode

COLUMNS = (
    "conversation_id, log_epoch, thread_version, mode, mode_epoch, inbound_count, "
    "answered_ordinal, first_time, newest_time, is_silenced, restart_count, try_count"
)
NOW = "coalesce($1::timestamptz, clock_timestamp())"
# The try is counted when it begins: one that kills its worker counts too.
LEASE = f"""
WITH t AS MATERIALIZED (SELECT {NOW} AS now),
due AS MATERIALIZED (
    SELECT d.workspace_id, d.conversation_id FROM duties d
    WHERE d.due_time <= (SELECT now FROM t)
      AND (d.lease_until IS NULL OR d.lease_until <= (SELECT now FROM t))
    ORDER BY d.due_time LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE duties d
SET lease_until = t.now + $3::interval, lease_owner = $4, fence = d.fence + 1,
    try_count = d.try_count + 1
FROM due, t
WHERE d.workspace_id = due.workspace_id AND d.conversation_id = due.conversation_id
RETURNING d.workspace_id, d.conversation_id, d.fence
"""
DUE_SOON = f"""
WITH t AS MATERIALIZED (SELECT {NOW} AS now)
SELECT d.workspace_id, d.conversation_id FROM duties d
WHERE d.due_time > (SELECT now FROM t) ORDER BY d.due_time LIMIT $2
"""
RENEW = f"""
UPDATE duties SET lease_until = {NOW} + $5::interval
WHERE workspace_id = $2 AND conversation_id = $3 AND fence = $4
RETURNING {COLUMNS}
"""
RELEASE = """
UPDATE duties SET lease_until = NULL, lease_owner = NULL
WHERE workspace_id = $1 AND conversation_id = $2 AND fence = $3
"""
DEFER = f"""
UPDATE duties SET lease_until = NULL, lease_owner = NULL, due_time = {NOW} + $5::interval,
    try_count = least(try_count, $6)
WHERE workspace_id = $2 AND conversation_id = $3 AND fence = $4
"""
# In id order, so that two who lock several cannot wait for each other.
LOCK = f"""
SELECT {COLUMNS}, fence FROM duties
WHERE workspace_id = $1 AND conversation_id = ANY ($2::uuid[])
ORDER BY conversation_id FOR NO KEY UPDATE
"""
SAVE = """
INSERT INTO duties (
    workspace_id, conversation_id, log_epoch, thread_version, mode, mode_epoch, inbound_count,
    answered_ordinal, first_time, newest_time, is_silenced, restart_count, try_count, due_time)
SELECT $1, * FROM unnest(
    $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::timestamptz[], $10::timestamptz[], $11::boolean[], $12::integer[], $13::integer[],
    $14::timestamptz[])
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    log_epoch = excluded.log_epoch, thread_version = excluded.thread_version,
    mode = excluded.mode, mode_epoch = excluded.mode_epoch,
    inbound_count = excluded.inbound_count, answered_ordinal = excluded.answered_ordinal,
    first_time = excluded.first_time, newest_time = excluded.newest_time,
    restart_count = excluded.restart_count, try_count = excluded.try_count,
    due_time = excluded.due_time
"""
# Messaging may tell of the conversation at the same moment: whoever writes second leaves the
# other's part alone.
BEGIN_SILENT = """
INSERT INTO duties (
    workspace_id, conversation_id, log_epoch, thread_version, mode, mode_epoch, inbound_count,
    answered_ordinal, first_time, newest_time, is_silenced, restart_count, try_count, due_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, true, 0, 0, NULL)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET is_silenced = true, due_time = NULL
"""
UPDATE = """
UPDATE duties SET is_silenced = $3, answered_ordinal = $4, due_time = $5
WHERE workspace_id = $1 AND conversation_id = $2
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a duty for a while; `fence` makes a stale worker harmless."""

    workspace_id: WorkspaceId
    conversation_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class HeldDuty:
    """A locked duty, and whose it is to work on."""

    duty: Duty
    fence: int


DueDuty = tuple[Duty, datetime | None]
"""A duty and when it is due."""


async def lease_due(
    transaction: Transaction, *, limit: int, owner: str, span: timedelta, at: datetime | None
) -> list[Lease]:
    """Take duties that are due, of any workspace."""
    rows = await transaction.raw.fetch(LEASE, at, limit, span, owner)
    return [
        Lease(WorkspaceId(str(row["workspace_id"])), str(row["conversation_id"]), row["fence"])
        for row in rows
    ]


async def due_soon(
    transaction: Transaction, *, limit: int, at: datetime | None
) -> list[tuple[WorkspaceId, str]]:
    """Conversations, of any workspace, whose answer comes due next; those due now are left out."""
    rows = await transaction.raw.fetch(DUE_SOON, at, limit)
    return [(WorkspaceId(str(row["workspace_id"])), str(row["conversation_id"])) for row in rows]


async def renew(
    transaction: Transaction, lease: Lease, *, span: timedelta, at: datetime | None
) -> Duty | None:
    """Keep a lease for longer, and see what is owed now; None when it was lost."""
    row = await transaction.raw.fetchrow(
        RENEW, at, lease.workspace_id, lease.conversation_id, lease.fence, span
    )
    return None if row is None else _duty(row)


async def release(transaction: Transaction, lease: Lease) -> None:
    """Give a lease back."""
    await transaction.raw.execute(RELEASE, lease.workspace_id, lease.conversation_id, lease.fence)


async def defer(
    transaction: Transaction,
    lease: Lease,
    *,
    pause: timedelta,
    most_tries: int,
    at: datetime | None,
) -> None:
    """Give a lease back, and have it taken again after a pause; tries count up to a number."""
    await transaction.raw.execute(
        DEFER, at, lease.workspace_id, lease.conversation_id, lease.fence, pause, most_tries
    )


async def lock(transaction: Transaction, conversation_ids: Sequence[str]) -> dict[str, HeldDuty]:
    """Those of the duties that exist, kept from changing until the end."""
    rows = await transaction.raw.fetch(LOCK, transaction.workspace_id, conversation_ids)
    return {str(row["conversation_id"]): HeldDuty(_duty(row), row["fence"]) for row in rows}


async def save(transaction: Transaction, duties: Iterable[DueDuty]) -> None:
    """Write duties, new or locked before, and when they are due; silence stays as it is."""
    rows = [
        (
            duty.conversation_id,
            duty.log_epoch,
            duty.thread_version,
            duty.mode.value,
            duty.mode_epoch,
            duty.inbound_count,
            duty.answered_ordinal,
            duty.first_time,
            duty.newest_time,
            duty.is_silenced,
            duty.restart_count,
            duty.try_count,
            due_time,
        )
        for duty, due_time in duties
    ]
    if rows:
        await transaction.raw.execute(
            SAVE, transaction.workspace_id, *map(list, zip(*rows, strict=True))
        )


async def begin_silent(transaction: Transaction, duty: Duty) -> None:
    """Write a duty that is silenced before messaging told of its conversation."""
    await transaction.raw.execute(
        BEGIN_SILENT,
        transaction.workspace_id,
        duty.conversation_id,
        duty.log_epoch,
        duty.thread_version,
        duty.mode.value,
        duty.mode_epoch,
        duty.inbound_count,
        duty.answered_ordinal,
        duty.newest_time,
    )


async def update(transaction: Transaction, duty: Duty, due_time: datetime | None) -> None:
    """Write what a command may change of a locked duty."""
    await transaction.raw.execute(
        UPDATE,
        transaction.workspace_id,
        duty.conversation_id,
        duty.is_silenced,
        duty.answered_ordinal,
        due_time,
    )


def _duty(row: asyncpg.Record) -> Duty:
    return Duty(
        conversation_id=str(row["conversation_id"]),
        log_epoch=row["log_epoch"],
        thread_version=row["thread_version"],
        mode=Mode(row["mode"]),
        mode_epoch=row["mode_epoch"],
        inbound_count=row["inbound_count"],
        answered_ordinal=row["answered_ordinal"],
        first_time=row["first_time"],
        newest_time=row["newest_time"],
        is_silenced=row["is_silenced"],
        restart_count=row["restart_count"],
        try_count=row["try_count"],
    )
