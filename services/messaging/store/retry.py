"""Further attempts in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.message import MessageId
from services.messaging.model.thread import ConversationId

# The channel key is the message's: an idempotent platform drops a repeat of what it has.
ADD_ATTEMPTS = """
INSERT INTO attempts (workspace_id, message_id, number, conversation_id, seq, channel_id,
    delivery_status, is_open, channel_key, create_time)
SELECT m.workspace_id, m.id, m.attempt_count + 1, m.conversation_id, m.seq, t.channel_id,
    'queued', true, m.id::text, $3
FROM messages m JOIN threads t
    ON t.workspace_id = m.workspace_id AND t.conversation_id = m.conversation_id
WHERE m.workspace_id = $1 AND m.id = ANY($2::uuid[])
RETURNING message_id, number, conversation_id, channel_id
"""
WAKE_LANES = """
INSERT INTO dispatch_lanes AS l (workspace_id, conversation_id, channel_id, next_attempt_time)
SELECT $1, n.conversation_id, n.channel_id, $2
FROM unnest($3::uuid[], $4::uuid[]) AS n(conversation_id, channel_id)
ORDER BY n.conversation_id
ON CONFLICT (workspace_id, conversation_id) DO UPDATE
    SET next_attempt_time = excluded.next_attempt_time
    WHERE l.next_attempt_time IS NULL OR l.next_attempt_time > excluded.next_attempt_time
"""
FIND_CONVERSATION = """
SELECT conversation_id FROM messages WHERE workspace_id = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class AddedAttempt:
    """An attempt that was just added."""

    message_id: MessageId
    number: int


async def find_conversation(transaction: Transaction, message_id: str) -> ConversationId | None:
    """The conversation of a message."""
    found = await transaction.raw.fetchval(FIND_CONVERSATION, transaction.workspace_id, message_id)
    return None if found is None else ConversationId(str(found))


async def add_attempts(
    transaction: Transaction, message_ids: Sequence[str], *, at: datetime
) -> list[AddedAttempt]:
    """One more attempt for each message, queued in its lane; under the thread's lock."""
    if not message_ids:
        return []
    rows = await transaction.raw.fetch(
        ADD_ATTEMPTS, transaction.workspace_id, list(message_ids), at
    )
    lanes = {str(row[2]): str(row[3]) for row in rows}
    await transaction.raw.execute(
        WAKE_LANES, transaction.workspace_id, at, list(lanes), list(lanes.values())
    )
    return [AddedAttempt(MessageId(str(row[0])), row[1]) for row in rows]
