"""Platforms' calls in SQL: kept as they came, their items processed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.store.rows import KINDS, Row

KEEP = timedelta(days=8)
"""Raw calls are kept this long after their items are done; dead ones until a person decides."""
MAX_DROPPED = 500

ADD_CALL = """
INSERT INTO webhook_inbox (workspace_id, channel_id, dedupe_key, raw, receive_time, process_time,
    next_try_time, last_error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (channel_id, dedupe_key) DO NOTHING RETURNING id
"""
ADD_ITEMS = """
INSERT INTO webhook_items (workspace_id, channel_id, inbox_id, dedupe_key, contact_key, raw, state,
    receive_time, next_try_time, last_error)
SELECT $1, $2, $3, n.dedupe_key, n.contact_key, n.raw, n.state, $4, $4, n.last_error
FROM unnest($5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[]) WITH ORDINALITY
    AS n(dedupe_key, contact_key, raw, state, last_error, place)
ORDER BY n.place
ON CONFLICT (channel_id, dedupe_key) DO NOTHING
"""
READ_UNSPLIT = """
SELECT i.id, i.workspace_id, i.channel_id, r.kind, i.raw, i.try_count, i.receive_time
FROM webhook_inbox i JOIN channel_routes r ON r.channel_id = i.channel_id
WHERE i.next_try_time <= $1 ORDER BY i.id LIMIT $2
FOR UPDATE OF i SKIP LOCKED
"""
SAVE_SPLIT = """
UPDATE webhook_inbox SET process_time = $2, next_try_time = $3, try_count = try_count + 1,
    last_error = $4
WHERE id = $1
"""
# Only the oldest waiting item of a contact may be taken. Its row stays locked while it is being
# processed, so nobody else takes the contact's next one meanwhile.
TAKE_ITEMS = """
SELECT i.id, i.workspace_id, i.channel_id, r.kind, i.contact_key, i.raw, i.try_count
FROM webhook_items i JOIN channel_routes r ON r.channel_id = i.channel_id
WHERE i.state = 'waiting' AND i.next_try_time <= $1
  AND i.id = (
      SELECT min(e.id) FROM webhook_items e
      WHERE e.channel_id = i.channel_id AND e.contact_key = i.contact_key
        AND e.state = 'waiting')
ORDER BY i.next_try_time, i.id LIMIT $2
FOR UPDATE OF i SKIP LOCKED
"""
SAVE_ITEMS = """
UPDATE webhook_items i SET state = n.state, process_time = $1, try_count = n.try_count,
    next_try_time = n.next_try_time, last_error = n.last_error
FROM unnest($2::bigint[], $3::text[], $4::int[], $5::timestamptz[], $6::text[])
    AS n(id, state, try_count, next_try_time, last_error)
WHERE i.id = n.id
"""
DROP_OLD_ITEMS = f"""
DELETE FROM webhook_items WHERE id IN (
    SELECT id FROM webhook_items
    WHERE state IN ('done', 'kept') AND receive_time < $1 ORDER BY id LIMIT {MAX_DROPPED})
"""
DROP_OLD_CALLS = f"""
DELETE FROM webhook_inbox WHERE id IN (
    SELECT i.id FROM webhook_inbox i
    WHERE i.receive_time < $1 AND i.process_time IS NOT NULL
      AND NOT EXISTS (SELECT FROM webhook_items e WHERE e.inbox_id = i.id
                      AND e.state IN ('waiting', 'dead'))
    ORDER BY i.id LIMIT {MAX_DROPPED})
"""


@dataclass(frozen=True, slots=True)
class NewItem:
    """One item of a call, about to be kept."""

    dedupe_key: str
    contact_key: str
    raw: bytes
    state: str
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class UnsplitCall:
    """A call whose items could not be told apart when it came."""

    id: int
    workspace_id: WorkspaceId
    channel_id: ChannelId
    kind: ChannelKind
    raw: bytes
    try_count: int
    receive_time: datetime


@dataclass(frozen=True, slots=True)
class TakenItem:
    """An item that this transaction alone may process."""

    id: int
    workspace_id: WorkspaceId
    channel_id: ChannelId
    kind: ChannelKind
    contact_key: str
    raw: bytes
    try_count: int


@dataclass(frozen=True, slots=True)
class ProcessedItem:
    """What became of an item."""

    id: int
    state: str
    try_count: int
    next_try_time: datetime | None = None
    last_error: str = ""


async def add_call(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    channel_id: str,
    *,
    dedupe_key: str,
    raw: bytes,
    items: Sequence[NewItem] | None,
    at: datetime,
    error: str = "",
) -> bool:
    """Keep a call and its items; False when it had come before and nothing was added.

    Without items it is kept to be split later.
    """
    call_id = await transaction.raw.fetchval(
        ADD_CALL,
        workspace_id,
        channel_id,
        dedupe_key,
        raw,
        at,
        None if items is None else at,
        at if items is None else None,
        error or None,
    )
    if call_id is None:
        return False
    if items:
        await add_items(transaction, workspace_id, channel_id, call_id, items, at=at)
    return True


async def add_items(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    channel_id: str,
    call_id: int,
    items: Sequence[NewItem],
    *,
    at: datetime,
) -> None:
    """Keep items in the order given; one that came before is left out."""
    await transaction.raw.execute(
        ADD_ITEMS,
        workspace_id,
        channel_id,
        call_id,
        at,
        [item.dedupe_key for item in items],
        [item.contact_key for item in items],
        [item.raw for item in items],
        [item.state for item in items],
        [item.last_error or None for item in items],
    )


async def read_unsplit(transaction: Transaction, *, now: datetime, limit: int) -> list[UnsplitCall]:
    """Calls that have to be split again, held until the transaction ends."""
    rows = await transaction.raw.fetch(READ_UNSPLIT, now, limit)
    return [
        UnsplitCall(
            row[0], WorkspaceId(str(row[1])), ChannelId(str(row[2])), KINDS[row[3]], *row[4:7]
        )
        for row in rows
    ]


async def save_split(
    transaction: Transaction,
    call_id: int,
    *,
    process_time: datetime | None = None,
    next_try_time: datetime | None = None,
    error: str = "",
) -> None:
    """Write down when a call was split or is tried again; without either it is dead."""
    await transaction.raw.execute(SAVE_SPLIT, call_id, process_time, next_try_time, error or None)


async def take_items(transaction: Transaction, *, now: datetime, limit: int) -> list[TakenItem]:
    """The oldest waiting item of each contact that is due, held until the transaction ends."""
    rows = await transaction.raw.fetch(TAKE_ITEMS, now, limit)
    return [_taken(row) for row in rows]


async def save_items(
    transaction: Transaction, items: Sequence[ProcessedItem], *, at: datetime
) -> None:
    """Write down what became of items."""
    await transaction.raw.execute(
        SAVE_ITEMS,
        at,
        [item.id for item in items],
        [item.state for item in items],
        [item.try_count for item in items],
        [item.next_try_time for item in items],
        [item.last_error or None for item in items],
    )


async def drop_old(transaction: Transaction, *, now: datetime) -> None:
    """Drop what was processed long ago; a bounded number at a time."""
    await transaction.raw.execute(DROP_OLD_ITEMS, now - KEEP)
    await transaction.raw.execute(DROP_OLD_CALLS, now - KEEP)


def _taken(row: Row) -> TakenItem:
    return TakenItem(
        row[0],
        WorkspaceId(str(row[1])),
        ChannelId(str(row[2])),
        KINDS[row[3]],
        row[4],
        bytes(row[5]),
        row[6],
    )
