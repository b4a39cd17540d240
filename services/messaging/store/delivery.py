"""Evidence in SQL: attempts, receipts and the status of messages, under the thread's lock.

Locks are always taken in the same order: the thread's row first, then lanes, attempts, messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Reading, Transaction
from chassis.ids import new_id
from services.messaging.model.delivery import (
    AttemptState,
    DeliveryStatus,
    Failure,
    ReceiptSource,
)
from services.messaging.model.message import Author, Message, MessageId, Receipt
from services.messaging.model.thread import Thread
from services.messaging.store.rows import (
    ATTEMPT_COLUMNS,
    MESSAGE_COLUMNS,
    RECEIPT_COLUMNS,
    STATUS_NAMES,
    THREAD_COLUMNS,
    attempt_of,
    failure_columns,
    message_of,
    receipt_of,
    thread_of,
)

LOCK_THREAD = f"""
SELECT {THREAD_COLUMNS} FROM threads t
WHERE t.workspace_id = $1 AND t.conversation_id = $2 FOR NO KEY UPDATE
"""
READ_MESSAGES = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m
WHERE m.workspace_id = $1 AND m.id = ANY($2::uuid[]) ORDER BY m.conversation_id, m.seq
"""
READ_ATTEMPTS = f"""
SELECT {ATTEMPT_COLUMNS} FROM attempts a
WHERE a.workspace_id = $1 AND a.message_id = ANY($2::uuid[]) ORDER BY a.message_id, a.number
"""
READ_RECEIPTS = f"""
SELECT {RECEIPT_COLUMNS} FROM receipts r
WHERE r.workspace_id = $1 AND r.message_id = $2 ORDER BY r.ordinal LIMIT $3
"""
SAVE_ATTEMPTS = """
UPDATE attempts a SET
    delivery_status = n.delivery_status, is_open = n.is_open, is_cancelled = n.is_cancelled,
    failure_reason = n.failure_reason, failure_platform_code = n.failure_platform_code,
    failure_is_retryable = n.failure_is_retryable,
    failure_may_have_arrived = n.failure_may_have_arrived
FROM unnest($2::uuid[], $3::int[], $4::text[], $5::bool[], $6::bool[], $7::text[], $8::text[],
            $9::bool[], $10::bool[])
    AS n(message_id, number, delivery_status, is_open, is_cancelled, failure_reason,
         failure_platform_code, failure_is_retryable, failure_may_have_arrived)
WHERE a.workspace_id = $1 AND a.message_id = n.message_id AND a.number = n.number
"""
SAVE_MESSAGES = """
UPDATE messages m SET
    delivery_status = n.delivery_status, attempt_count = n.attempt_count, version = n.version,
    failure_reason = n.failure_reason, failure_platform_code = n.failure_platform_code,
    failure_is_retryable = n.failure_is_retryable,
    failure_may_have_arrived = n.failure_may_have_arrived
FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::text[],
            $9::bool[], $10::bool[])
    AS n(conversation_id, seq, delivery_status, attempt_count, version, failure_reason,
         failure_platform_code, failure_is_retryable, failure_may_have_arrived)
WHERE m.workspace_id = $1 AND m.conversation_id = n.conversation_id AND m.seq = n.seq
"""
# A platform tells the same thing many times: one receipt for each thing it says.
ADD_RECEIPTS = """
INSERT INTO receipts (
    workspace_id, message_id, id, attempt_number, delivery_status, source, platform_message_id,
    failure_reason, failure_platform_code, failure_is_retryable, failure_may_have_arrived,
    author_kind, author_id, author_display_name, answer_millis, create_time, platform_time)
SELECT $1, n.message_id, n.id, n.attempt_number, n.delivery_status, n.source,
    n.platform_message_id, n.failure_reason, n.failure_platform_code, n.failure_is_retryable,
    n.failure_may_have_arrived, n.author_kind, n.author_id, n.author_display_name,
    n.answer_millis, $2, n.platform_time
FROM unnest($3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::bool[], $12::bool[], $13::text[], $14::text[], $15::text[],
            $16::bigint[], $17::timestamptz[])
    WITH ORDINALITY
    AS n(message_id, id, attempt_number, delivery_status, source, platform_message_id,
         failure_reason, failure_platform_code, failure_is_retryable, failure_may_have_arrived,
         author_kind, author_id, author_display_name, answer_millis, platform_time, place)
WHERE NOT EXISTS (
    SELECT FROM receipts r
    WHERE r.workspace_id = $1 AND r.message_id = n.message_id
      AND r.attempt_number = n.attempt_number AND r.delivery_status = n.delivery_status
      AND r.source = n.source
      AND r.failure_reason IS NOT DISTINCT FROM n.failure_reason
      AND r.failure_platform_code IS NOT DISTINCT FROM n.failure_platform_code)
ORDER BY n.place
"""


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A piece of evidence that is about to be kept."""

    message_id: MessageId
    attempt_number: int
    status: DeliveryStatus
    source: ReceiptSource
    failure: Failure | None = None
    platform_time: datetime | None = None
    platform_message_id: str = ""
    author: Author | None = None
    answer_millis: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """An outbound message with all its attempts."""

    message: Message
    attempts: tuple[AttemptState, ...]


async def lock_thread(transaction: Transaction, conversation_id: str) -> Thread | None:
    """The thread, held until the transaction ends; everything below needs that."""
    row = await transaction.raw.fetchrow(LOCK_THREAD, transaction.workspace_id, conversation_id)
    return None if row is None else thread_of(row)


async def read_deliveries(
    transaction: Transaction, message_ids: Sequence[str]
) -> dict[MessageId, Delivery]:
    """Outbound messages with their attempts; unknown ids and inbound ones are left out."""
    if not message_ids:
        return {}
    workspace_id = transaction.workspace_id
    messages = await transaction.raw.fetch(READ_MESSAGES, workspace_id, message_ids)
    attempts: dict[str, list[AttemptState]] = defaultdict(list)
    for row in await transaction.raw.fetch(READ_ATTEMPTS, workspace_id, message_ids):
        attempts[str(row[0])].append(attempt_of(row))
    found = [message_of(row) for row in messages]
    return {
        message.id: Delivery(message, tuple(attempts[message.id]))
        for message in found
        if message.id in attempts
    }


async def save_attempts(
    transaction: Transaction, attempts: Sequence[tuple[MessageId, AttemptState]]
) -> None:
    """Write what the evidence adds up to, attempt by attempt."""
    if not attempts:
        return
    await transaction.raw.execute(
        SAVE_ATTEMPTS,
        transaction.workspace_id,
        [message_id for message_id, _ in attempts],
        [attempt.number for _, attempt in attempts],
        [STATUS_NAMES[attempt.status] for _, attempt in attempts],
        [attempt.status.is_open and not attempt.is_cancelled for _, attempt in attempts],
        [attempt.is_cancelled for _, attempt in attempts],
        *failure_columns(attempt.failure for _, attempt in attempts),
    )


async def save_messages(transaction: Transaction, messages: Sequence[Message]) -> None:
    """Write the delivery of messages that changed."""
    if not messages:
        return
    await transaction.raw.execute(
        SAVE_MESSAGES,
        transaction.workspace_id,
        [message.conversation_id for message in messages],
        [message.seq for message in messages],
        [message.delivery_status and STATUS_NAMES[message.delivery_status] for message in messages],
        [message.attempt_count for message in messages],
        [message.version for message in messages],
        *failure_columns(message.failure for message in messages),
    )


async def add_receipts(
    transaction: Transaction, receipts: Sequence[NewReceipt], *, at: datetime
) -> None:
    """Keep evidence; what says the same as a receipt that is there already is not added again."""
    if not receipts:
        return
    authors = [receipt.author for receipt in receipts]
    await transaction.raw.execute(
        ADD_RECEIPTS,
        transaction.workspace_id,
        at,
        [receipt.message_id for receipt in receipts],
        [new_id() for _ in receipts],
        [receipt.attempt_number for receipt in receipts],
        [STATUS_NAMES[receipt.status] for receipt in receipts],
        [receipt.source.value for receipt in receipts],
        [receipt.platform_message_id or None for receipt in receipts],
        *failure_columns(receipt.failure for receipt in receipts),
        [author and author.kind.value for author in authors],
        [author and author.id for author in authors],
        [author and author.display_name for author in authors],
        [receipt.answer_millis for receipt in receipts],
        [receipt.platform_time for receipt in receipts],
    )


async def read_receipts(reading: Reading, message_id: str, *, limit: int) -> list[Receipt]:
    """A message's timeline, in the order it came."""
    rows = await reading.raw.fetch(READ_RECEIPTS, reading.workspace_id, message_id, limit)
    return [receipt_of(row) for row in rows]
