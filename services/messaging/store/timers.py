"""Resume timers in SQL: which threads may be due, across workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.thread import ConversationId, Thread
from services.messaging.store.delivery import LOCK_THREAD
from services.messaging.store.rows import thread_of

TAKE_DUE = """
SELECT workspace_id, conversation_id FROM resume_timers
WHERE due_time <= $1 ORDER BY due_time LIMIT 1 FOR UPDATE SKIP LOCKED
"""
NEXT_DUE = "SELECT min(due_time) FROM resume_timers"
MOVE = """
UPDATE resume_timers SET due_time = $3 WHERE workspace_id = $1 AND conversation_id = $2
"""
# Everybody else locks a thread first and its timer then, so this one must not wait for a thread.
LOCK_THREAD_IF_FREE = f"{LOCK_THREAD} SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer that this transaction alone may fire."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId


async def take_due(transaction: Transaction, *, now: datetime) -> DueTimer | None:
    """The timer that is due longest, held until the transaction ends."""
    row = await transaction.raw.fetchrow(TAKE_DUE, now)
    if row is None:
        return None
    return DueTimer(WorkspaceId(str(row[0])), ConversationId(str(row[1])))


async def next_due(transaction: Transaction) -> datetime | None:
    """When the next timer comes due."""
    time: datetime | None = await transaction.raw.fetchval(NEXT_DUE)
    return time


async def lock_thread_if_free(transaction: Transaction, conversation_id: str) -> Thread | None:
    """The thread, held until the transaction ends; None while somebody else holds it."""
    row = await transaction.raw.fetchrow(
        LOCK_THREAD_IF_FREE, transaction.workspace_id, conversation_id
    )
    return None if row is None else thread_of(row)


async def move(transaction: Transaction, timer: DueTimer, due_time: datetime) -> None:
    """Let a timer come due at another time."""
    await transaction.raw.execute(MOVE, timer.workspace_id, timer.conversation_id, due_time)
