"""Threads and all that hangs on them in SQL, to be erased. For the worker role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction

LOCK = """
SELECT channel_id, external_id, last_seq FROM threads
WHERE workspace_id = $1 AND conversation_id = $2 FOR UPDATE
"""
PLATFORM_IDS = """
SELECT platform_message_id FROM attempts
WHERE workspace_id = $1 AND conversation_id = $2 AND platform_message_id IS NOT NULL
"""
MESSAGE_IDS = "SELECT id::text FROM messages WHERE workspace_id = $1 AND conversation_id = $2"
ERASED = """
SELECT request_id::text, last_seq FROM erased_threads
WHERE workspace_id = $1 AND conversation_id = $2
"""
# How far it counted stays: a seq, an ordinal, an epoch or a version is never given twice, so what
# neighbours remember of them holds also when the customer comes back.
KEEP_COUNTS = """
INSERT INTO erased_threads AS e (
    workspace_id, conversation_id, request_id, last_seq, inbound_count, mode_epoch, version)
SELECT workspace_id, conversation_id, $3, last_seq, inbound_count, mode_epoch, version
FROM threads WHERE workspace_id = $1 AND conversation_id = $2
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    request_id = excluded.request_id, last_seq = excluded.last_seq,
    inbound_count = excluded.inbound_count, mode_epoch = excluded.mode_epoch,
    version = excluded.version
"""
OF_MESSAGES = "DELETE FROM receipts WHERE workspace_id = $1 AND message_id = ANY ($2::uuid[])"
OF_CONVERSATION = tuple(
    f"DELETE FROM {table} WHERE workspace_id = $1 AND conversation_id = $2"
    for table in (
        "attempts",
        "messages",
        "dispatch_lanes",
        "resume_timers",
        "web_chat_visitors",
        "threads",
    )
)
"""What lies under a conversation, its thread last."""
OF_PLATFORM_IDS = """
DELETE FROM pending_receipts
WHERE workspace_id = $1 AND channel_id = $2 AND platform_message_id = ANY ($3)
"""
# The key by which a repeat is known stays until the row is dropped: a platform that delivers again
# must not bring back what was erased. An item that is just being processed is passed over: it
# waits for the thread's lock, and must not be waited for under it.
BLANK_ITEMS = """
UPDATE webhook_items SET raw = '', contact_key = 'erased', last_error = NULL, next_try_time = NULL,
    state = CASE state WHEN 'kept' THEN 'kept' ELSE 'done' END,
    process_time = coalesce(process_time, $4)
WHERE id IN (
    SELECT id FROM webhook_items
    WHERE workspace_id = $1 AND channel_id = $2 AND contact_key = ANY ($3)
    FOR UPDATE SKIP LOCKED)
RETURNING inbox_id
"""
ITEMS_LEFT = """
SELECT EXISTS (SELECT FROM webhook_items
               WHERE workspace_id = $1 AND channel_id = $2 AND contact_key = ANY ($3))
"""
# Whole calls, with other customers' items in them perhaps: those have the items for themselves.
BLANK_CALLS = """
UPDATE webhook_inbox SET raw = '', last_error = NULL
WHERE workspace_id = $1 AND channel_id = $2 AND id = ANY ($3)
"""
# A call that could not be split is of everybody who is named in it.
BLANK_UNSPLIT_CALLS = """
UPDATE webhook_inbox SET raw = '', last_error = NULL, next_try_time = NULL, process_time = $4
WHERE workspace_id = $1 AND channel_id = $2 AND process_time IS NULL
  AND position(convert_to($3, 'UTF8') IN raw) > 0
"""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A locked thread, about to be erased."""

    channel_id: str
    external_id: str
    last_seq: int
    platform_message_ids: Sequence[str]
    message_ids: Sequence[str]

    @property
    def contact_keys(self) -> list[str]:
        """Under which webhooks about this customer and our messages to them are kept."""
        receipts = [f"receipt {one}" for one in self.platform_message_ids]
        return [self.external_id, f"contact {self.external_id}", *receipts]


async def lock(transaction: Transaction, conversation_id: str) -> Doomed | None:
    """The thread, kept from everybody until the end; None when there is none."""
    key = (transaction.workspace_id, conversation_id)
    row = await transaction.raw.fetchrow(LOCK, *key)
    if row is None:
        return None
    platform_ids = await transaction.raw.fetch(PLATFORM_IDS, *key)
    message_ids = await transaction.raw.fetch(MESSAGE_IDS, *key)
    return Doomed(
        str(row["channel_id"]),
        row["external_id"],
        row["last_seq"],
        [found[0] for found in platform_ids],
        [found[0] for found in message_ids],
    )


async def erased_by(transaction: Transaction, conversation_id: str) -> tuple[str, int]:
    """The request by which a conversation was erased last, and up to which seq; ("", 0) if none."""
    row = await transaction.raw.fetchrow(ERASED, transaction.workspace_id, conversation_id)
    return ("", 0) if row is None else (row["request_id"], row["last_seq"])


async def blank_webhooks(transaction: Transaction, doomed: Doomed, *, at: datetime) -> bool:
    """Empty what platforms sent; False when some of it is being processed just now."""
    place = (transaction.workspace_id, doomed.channel_id)
    keys = doomed.contact_keys
    rows = await transaction.raw.fetch(BLANK_ITEMS, *place, keys, at)
    await transaction.raw.execute(BLANK_CALLS, *place, list({row["inbox_id"] for row in rows}))
    await transaction.raw.execute(BLANK_UNSPLIT_CALLS, *place, doomed.external_id, at)
    return not await transaction.raw.fetchval(ITEMS_LEFT, *place, keys)


async def remove(
    transaction: Transaction, conversation_id: str, doomed: Doomed, *, request_id: str
) -> None:
    """Delete the thread and everything under it, but for how far it counted."""
    workspace_id = transaction.workspace_id
    await transaction.raw.execute(KEEP_COUNTS, workspace_id, conversation_id, request_id)
    await transaction.raw.execute(OF_MESSAGES, workspace_id, list(doomed.message_ids))
    await transaction.raw.execute(
        OF_PLATFORM_IDS, workspace_id, doomed.channel_id, list(doomed.platform_message_ids)
    )
    for statement in OF_CONVERSATION:
        await transaction.raw.execute(statement, workspace_id, conversation_id)
