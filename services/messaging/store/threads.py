"""Threads in SQL, apart from growing: their mode and what it withdraws."""

from __future__ import annotations

from chassis.database import Transaction
from services.messaging.model.message import MessageId
from services.messaging.model.thread import Thread

SAVE_MODE = """
UPDATE threads SET mode = $3, mode_epoch = $4, version = $5
WHERE workspace_id = $1 AND conversation_id = $2
"""
QUEUED_AI_ATTEMPTS = """
SELECT a.message_id, a.number FROM attempts a
JOIN messages m ON m.workspace_id = a.workspace_id AND m.id = a.message_id
WHERE a.workspace_id = $1 AND a.conversation_id = $2 AND a.is_open
  AND a.delivery_status = 'queued' AND m.author_kind = 'ai'
ORDER BY a.seq, a.number
"""


async def save_mode(transaction: Transaction, thread: Thread) -> None:
    """Write the thread's mode, epoch and version; the caller holds its lock."""
    await transaction.raw.execute(
        SAVE_MODE,
        transaction.workspace_id,
        thread.conversation_id,
        thread.mode.value,
        thread.mode_epoch,
        thread.version,
    )


async def queued_ai_attempts(
    transaction: Transaction, conversation_id: str
) -> list[tuple[MessageId, int]]:
    """Attempts of AI messages that nobody has begun to send, in order."""
    rows = await transaction.raw.fetch(
        QUEUED_AI_ATTEMPTS, transaction.workspace_id, conversation_id
    )
    return [(MessageId(str(row[0])), row[1]) for row in rows]
