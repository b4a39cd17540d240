"""Finding what a platform's receipt is about, and keeping it until that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.database import Transaction
from chassis.ids import new_id
from services.messaging.model.delivery import DeliveryStatus, Failure, ReceiptSource
from services.messaging.model.message import MessageId
from services.messaging.model.thread import ConversationId
from services.messaging.store.delivery import NewReceipt
from services.messaging.store.rows import (
    STATUS_NAMES,
    STATUSES,
    Row,
    failure_columns,
    failure_of,
)

KEEP_PENDING = timedelta(days=8)
MAX_PENDING_OF_ONE = 64
"""Receipts that one unknown platform id may hold; a platform has few things to say about one."""
MAX_MARKED = 1_000
"""Messages that one watermark is spread over, newest first."""

# Taken before looking an id up and writing down that it is unknown, and before giving it to an
# attempt: so a receipt is either found by the one or seen by the other.
LOCK_PLATFORM_ID = "SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2::text, 7102))"
FIND_BY_PLATFORM_ID = """
SELECT message_id, number, conversation_id FROM attempts
WHERE workspace_id = $1 AND channel_id = $2 AND platform_message_id = $3
"""
FIND_BY_NAME = """
SELECT message_id, number, conversation_id FROM attempts
WHERE workspace_id = $1 AND channel_id = $2 AND message_id = $3 AND number = $4
"""
NOTE_PLATFORM_ID = """
UPDATE attempts SET platform_message_id = coalesce(platform_message_id, $4)
WHERE workspace_id = $1 AND message_id = $2 AND number = $3
"""
KEEP = f"""
INSERT INTO pending_receipts (workspace_id, channel_id, platform_message_id, id, delivery_status,
    failure_reason, failure_platform_code, failure_is_retryable, failure_may_have_arrived,
    create_time, platform_time, expire_time)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
WHERE (SELECT count(*) FROM pending_receipts p WHERE p.workspace_id = $1 AND p.channel_id = $2
       AND p.platform_message_id = $3) < {MAX_PENDING_OF_ONE}
"""
TAKE_PENDING = """
DELETE FROM pending_receipts
WHERE workspace_id = $1 AND channel_id = $2 AND platform_message_id = $3
RETURNING delivery_status, failure_reason, failure_platform_code, failure_is_retryable,
    failure_may_have_arrived, platform_time
"""
DROP_EXPIRED = """
DELETE FROM pending_receipts WHERE workspace_id = $1 AND expire_time < $2
"""
READ_BELOW = f"""
SELECT m.id, m.attempt_count FROM messages m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.direction = 'outbound'
  AND m.delivery_status = ANY($3::text[]) AND m.seq <= $4 AND m.create_time <= $5
ORDER BY m.seq DESC LIMIT {MAX_MARKED}
"""


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """The attempt a receipt is about."""

    message_id: MessageId
    number: int
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class PendingReceipt:
    """A receipt about a message whose platform id nobody here knows yet."""

    platform_message_id: str
    status: DeliveryStatus
    failure: Failure | None
    platform_time: datetime | None


async def lock_platform_id(
    transaction: Transaction, channel_id: str, platform_message_id: str
) -> None:
    """Let one transaction at a time deal with a platform's id."""
    await transaction.raw.execute(LOCK_PLATFORM_ID, channel_id, platform_message_id)


async def find_by_platform_id(
    transaction: Transaction, channel_id: str, platform_message_id: str
) -> FoundAttempt | None:
    """The attempt that holds a platform's id."""
    row = await transaction.raw.fetchrow(
        FIND_BY_PLATFORM_ID, transaction.workspace_id, channel_id, platform_message_id
    )
    return None if row is None else _found(row)


async def find_by_name(
    transaction: Transaction, channel_id: str, message_id: str, number: int
) -> FoundAttempt | None:
    """An attempt of a message on that channel."""
    row = await transaction.raw.fetchrow(
        FIND_BY_NAME, transaction.workspace_id, channel_id, message_id, number
    )
    return None if row is None else _found(row)


async def note_platform_id(
    transaction: Transaction, message_id: str, number: int, platform_message_id: str
) -> None:
    """Give an attempt its platform id; an id it has already stays."""
    await transaction.raw.execute(
        NOTE_PLATFORM_ID, transaction.workspace_id, message_id, number, platform_message_id
    )


async def keep_pending(
    transaction: Transaction, channel_id: str, receipt: PendingReceipt, *, at: datetime
) -> None:
    """Keep a receipt until its message's platform id is known, or for 8 days."""
    await transaction.raw.execute(DROP_EXPIRED, transaction.workspace_id, at)
    await transaction.raw.execute(
        KEEP,
        transaction.workspace_id,
        channel_id,
        receipt.platform_message_id,
        new_id(),
        STATUS_NAMES[receipt.status],
        *(column[0] for column in failure_columns([receipt.failure])),
        at,
        receipt.platform_time,
        at + KEEP_PENDING,
    )


async def take_pending(
    transaction: Transaction,
    channel_id: str,
    platform_message_id: str,
    *,
    message_id: MessageId,
    number: int,
) -> list[NewReceipt]:
    """The receipts that waited for this id, now about this attempt; they are gone from there."""
    rows = await transaction.raw.fetch(
        TAKE_PENDING, transaction.workspace_id, channel_id, platform_message_id
    )
    return [
        NewReceipt(
            message_id=message_id,
            attempt_number=number,
            status=STATUSES[row[0]],
            source=ReceiptSource.WEBHOOK,
            failure=None if row[1] is None else failure_of(row, 1),
            platform_time=row[5],
            platform_message_id=platform_message_id,
        )
        for row in rows
    ]


async def read_below(
    transaction: Transaction,
    conversation_id: str,
    statuses: list[DeliveryStatus],
    *,
    up_to_seq: int,
    up_to_time: datetime,
) -> list[tuple[MessageId, int]]:
    """Outbound messages that a watermark raises, with the attempt each counts for."""
    rows = await transaction.raw.fetch(
        READ_BELOW,
        transaction.workspace_id,
        conversation_id,
        [STATUS_NAMES[status] for status in statuses],
        up_to_seq,
        up_to_time,
    )
    return [(MessageId(str(row[0])), row[1]) for row in rows]


def _found(row: Row) -> FoundAttempt:
    return FoundAttempt(MessageId(str(row[0])), row[1], ConversationId(str(row[2])))
