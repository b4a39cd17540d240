"""Chat boxes in SQL: what a visitor has acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.message import MessageId
from services.messaging.model.web_chat import Marks, NewlyAcknowledged

READ_MARKS = """
SELECT delivered_up_to_seq, read_up_to_seq FROM web_chat_visitors
WHERE workspace_id = $1 AND conversation_id = $2
"""
SAVE_MARKS = """
INSERT INTO web_chat_visitors (
    workspace_id, conversation_id, delivered_up_to_seq, read_up_to_seq, update_time)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    delivered_up_to_seq = excluded.delivered_up_to_seq,
    read_up_to_seq = excluded.read_up_to_seq, update_time = excluded.update_time
"""
# The latest attempt speaks for the box: it shows a message once, whichever attempt it was.
ACKNOWLEDGED = """
SELECT m.id, m.attempt_count FROM messages m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.seq > $3 AND m.seq <= $4
  AND m.attempt_count > 0
ORDER BY m.seq
"""


async def read_marks(transaction: Transaction, conversation_id: str) -> Marks:
    """What the visitor has acknowledged so far."""
    row = await transaction.raw.fetchrow(READ_MARKS, transaction.workspace_id, conversation_id)
    return Marks() if row is None else Marks(row[0], row[1])


async def save_marks(
    transaction: Transaction, conversation_id: str, marks: Marks, *, at: datetime
) -> None:
    """Write the marks; the caller holds the thread's lock."""
    await transaction.raw.execute(
        SAVE_MARKS,
        transaction.workspace_id,
        conversation_id,
        marks.delivered_up_to_seq,
        marks.read_up_to_seq,
        at,
    )


async def acknowledged_messages(
    transaction: Transaction, conversation_id: str, stretch: NewlyAcknowledged
) -> Sequence[tuple[MessageId, int]]:
    """Outbound messages of a stretch, each with its latest attempt."""
    rows = await transaction.raw.fetch(
        ACKNOWLEDGED,
        transaction.workspace_id,
        conversation_id,
        stretch.after_seq,
        stretch.up_to_seq,
    )
    return [(MessageId(str(row[0])), row[1]) for row in rows]
