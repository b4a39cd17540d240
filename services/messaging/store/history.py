"""Reading threads and messages: by key and by range, never by counting."""

from __future__ import annotations

from chassis.database import Reading
from services.messaging.model.message import Message
from services.messaging.model.thread import Thread
from services.messaging.store.rows import (
    MESSAGE_COLUMNS,
    THREAD_COLUMNS,
    message_of,
    thread_of,
)

GET_THREAD = f"""
SELECT {THREAD_COLUMNS} FROM threads t WHERE t.workspace_id = $1 AND t.conversation_id = $2
"""
GET_MESSAGE = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.workspace_id = $1 AND m.id = $2
"""
LIST_BEFORE = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.seq < $3
  AND (m.direction <> 'internal' OR NOT $5)
ORDER BY m.seq DESC LIMIT $4
"""
LIST_AFTER = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.seq > $3 AND m.seq <= $5
  AND (m.direction <> 'internal' OR NOT $6)
ORDER BY m.seq LIMIT $4
"""


async def get_thread(reading: Reading, conversation_id: str) -> Thread | None:
    """The thread, if there is one in this workspace."""
    row = await reading.raw.fetchrow(GET_THREAD, reading.workspace_id, conversation_id)
    return None if row is None else thread_of(row)


async def get_message(reading: Reading, message_id: str) -> Message | None:
    """The message, if there is one in this workspace."""
    row = await reading.raw.fetchrow(GET_MESSAGE, reading.workspace_id, message_id)
    return None if row is None else message_of(row)


async def list_before(
    reading: Reading,
    conversation_id: str,
    *,
    before_seq: int,
    limit: int,
    is_for_customer: bool,
) -> list[Message]:
    """Messages with a lower seq, newest first; for the customer without rows for the team."""
    rows = await reading.raw.fetch(
        LIST_BEFORE,
        reading.workspace_id,
        conversation_id,
        before_seq,
        limit,
        is_for_customer,
    )
    return [message_of(row) for row in rows]


async def list_after(
    reading: Reading,
    conversation_id: str,
    *,
    after_seq: int,
    last_seq: int,
    limit: int,
    is_for_customer: bool,
) -> list[Message]:
    """The same with a higher seq, up to `last_seq`, oldest first."""
    rows = await reading.raw.fetch(
        LIST_AFTER,
        reading.workspace_id,
        conversation_id,
        after_seq,
        limit,
        last_seq,
        is_for_customer,
    )
    return [message_of(row) for row in rows]
