"""Threads in SQL, apart from their hot path: switches, rows for the team, what a switch withdraws.

The caller holds the thread's lock; a thread has a resume timer exactly while it is armed.
"""

from __future__ import annotations

from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.draft import Opening
from services.messaging.model.message import Message, MessageId
from services.messaging.model.thread import ConversationId, Thread
from services.messaging.store.notes import handover_to_json, note_to_json
from services.messaging.store.rows import (
    MESSAGE_COLUMNS,
    STATUS_NAMES,
    message_of,
)

OPEN = """
INSERT INTO threads (
    workspace_id, conversation_id, channel_id, channel_kind, external_id, customer_name,
    mode, mode_epoch, last_seq, inbound_count, create_time, version)
SELECT $1, n.conversation_id, $3, $4, $5, $6,
    coalesce((SELECT s.default_mode FROM messaging_settings s WHERE s.workspace_id = $1), 'manual'),
    coalesce(e.mode_epoch, 0) + 1, coalesce(e.last_seq, 0), coalesce(e.inbound_count, 0), $7,
    coalesce(e.version, 0) + 1
FROM (SELECT $2::uuid AS conversation_id) n
LEFT JOIN erased_threads e ON e.workspace_id = $1 AND e.conversation_id = n.conversation_id
ON CONFLICT DO NOTHING
"""
SAVE = """
UPDATE threads SET mode = $3, mode_epoch = $4, last_seq = $5, last_message_time = $6,
    manual_until = $7, resume_ai_after = $8, is_manual_kept = $9, handover = $10, version = $11,
    hold_member_id = $12, hold_since = $13
WHERE workspace_id = $1 AND conversation_id = $2
"""
SET_TIMER = """
INSERT INTO resume_timers (workspace_id, conversation_id, due_time) VALUES ($1, $2, $3)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET due_time = excluded.due_time
"""
DROP_TIMER = "DELETE FROM resume_timers WHERE workspace_id = $1 AND conversation_id = $2"
ADD_MESSAGE = """
INSERT INTO messages (
    workspace_id, conversation_id, seq, id, client_message_id, direction, author_kind, author_id,
    author_display_name, text, delivery_status, attempt_count, inbound_ordinal, create_time,
    platform_time, version, system_note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
ADD_ATTEMPT = """
INSERT INTO attempts (
    workspace_id, message_id, number, conversation_id, seq, channel_id, delivery_status, is_open,
    channel_key, platform_message_id, create_time)
VALUES ($1, $2::uuid, 1, $3, $4, $5, $6, false, $2::uuid::text, $7, $8)
"""
FIND_MESSAGE = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m
WHERE m.workspace_id = $1 AND m.client_message_id = $2
"""
# Queued, or between two tries of which no byte is at the platform.
UNSENT_AI_ATTEMPTS = """
SELECT a.message_id, a.number FROM attempts a
JOIN messages m ON m.workspace_id = a.workspace_id AND m.id = a.message_id
WHERE a.workspace_id = $1 AND a.conversation_id = $2 AND a.is_open
  AND (a.delivery_status = 'queued'
       OR (a.delivery_status = 'sending' AND a.fence IS NULL AND NOT a.is_doubtful))
  AND m.author_kind = 'ai'
ORDER BY a.seq, a.number
"""


async def open_thread(
    transaction: Transaction, conversation_id: ConversationId, opening: Opening, *, at: datetime
) -> bool:
    """Add an empty thread; False when somebody else did meanwhile."""
    added: str = await transaction.raw.execute(
        OPEN,
        transaction.workspace_id,
        conversation_id,
        opening.channel_id,
        opening.channel_kind.value,
        opening.external_id,
        opening.customer_name,
        at,
    )
    return added == "INSERT 0 1"


async def save(transaction: Transaction, thread: Thread) -> None:
    """Write what changes of a thread, and its timer."""
    key = (transaction.workspace_id, thread.conversation_id)
    await transaction.raw.execute(
        SAVE,
        *key,
        thread.mode.value,
        thread.mode_epoch,
        thread.last_seq,
        thread.last_message_time,
        thread.manual_until,
        thread.resume_ai_after,
        thread.is_manual_kept,
        None if thread.handover is None else handover_to_json(thread.handover),
        thread.version,
        None if thread.hold is None else thread.hold.member_id,
        None if thread.hold is None else thread.hold.since,
    )
    if thread.manual_until is None:
        await transaction.raw.execute(DROP_TIMER, *key)
    else:
        await transaction.raw.execute(SET_TIMER, *key, thread.manual_until)


async def add_message(transaction: Transaction, message: Message) -> None:
    """Write one message at the place its thread gave it."""
    status = message.delivery_status
    await transaction.raw.execute(
        ADD_MESSAGE,
        transaction.workspace_id,
        message.conversation_id,
        message.seq,
        message.id,
        message.client_message_id,
        message.direction.value,
        message.author.kind.value,
        message.author.id,
        message.author.display_name,
        message.text,
        None if status is None else STATUS_NAMES[status],
        message.attempt_count,
        message.inbound_ordinal,
        message.create_time,
        message.platform_time,
        message.version,
        None if message.system_note is None else note_to_json(message.system_note),
    )


async def add_ended_attempt(
    transaction: Transaction, message: Message, thread: Thread, platform_message_id: str
) -> None:
    """The attempt of a message that its platform has already."""
    assert message.delivery_status is not None  # noqa: S101 - an outbound message has one
    await transaction.raw.execute(
        ADD_ATTEMPT,
        transaction.workspace_id,
        message.id,
        message.conversation_id,
        message.seq,
        thread.channel_id,
        STATUS_NAMES[message.delivery_status],
        platform_message_id,
        message.create_time,
    )


async def find_message(transaction: Transaction, client_message_id: str) -> Message | None:
    """The message that is stored under a client id."""
    row = await transaction.raw.fetchrow(FIND_MESSAGE, transaction.workspace_id, client_message_id)
    return None if row is None else message_of(row)


async def unsent_ai_attempts(
    transaction: Transaction, conversation_id: str
) -> list[tuple[MessageId, int]]:
    """Attempts of AI messages that no platform can have got anything of, in order."""
    rows = await transaction.raw.fetch(
        UNSENT_AI_ATTEMPTS, transaction.workspace_id, conversation_id
    )
    return [(MessageId(str(row[0])), row[1]) for row in rows]
