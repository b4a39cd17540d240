"""Every channel and every thread with its newest message, page by page."""

from __future__ import annotations

from chassis.database import Transaction
from services.messaging.model.channel import Channel
from services.messaging.model.message import Message
from services.messaging.model.thread import Thread
from services.messaging.store.channels import COLUMNS, channel_of
from services.messaging.store.rows import (
    MESSAGE_COLUMNS,
    THREAD_COLUMNS,
    THREAD_WIDTH,
    message_of,
    thread_of,
)

CHANNELS = f"""
SELECT {COLUMNS} FROM channels c WHERE c.workspace_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3
"""
# One statement, so that thread and message are of one moment. Rows for the team are passed over:
# nobody begins with one.
THREADS = f"""
SELECT {THREAD_COLUMNS}, {MESSAGE_COLUMNS} FROM threads t
LEFT JOIN LATERAL (
    SELECT * FROM messages o WHERE o.workspace_id = t.workspace_id
        AND o.conversation_id = t.conversation_id AND o.direction <> 'internal'
    ORDER BY o.seq DESC LIMIT 1) m ON true
WHERE t.workspace_id = $1 AND t.conversation_id > $2 ORDER BY t.conversation_id LIMIT $3
"""


async def channels_after(transaction: Transaction, channel_id: str, *, limit: int) -> list[Channel]:
    """Channels with a higher id."""
    rows = await transaction.raw.fetch(CHANNELS, transaction.workspace_id, channel_id, limit)
    return [channel_of(row) for row in rows]


async def threads_after(
    transaction: Transaction, conversation_id: str, *, limit: int
) -> list[tuple[Thread, Message | None]]:
    """Threads with a higher id, each with its newest message that is no row for the team."""
    rows = await transaction.raw.fetch(THREADS, transaction.workspace_id, conversation_id, limit)
    return [
        (
            thread_of(row),
            None if row[THREAD_WIDTH] is None else message_of(row[THREAD_WIDTH:]),
        )
        for row in rows
    ]
