"""Platforms' receipts: late, twice, out of order, or before the call that they are about returned.

Locks: the lock of a platform's id comes after a thread's, never before it.
"""

from __future__ import annotations

from datetime import datetime

from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.channels.port import StatusReport, WatermarkReport
from services.messaging.model.channel import ChannelId
from services.messaging.model.delivery import DeliveryStatus, ReceiptSource
from services.messaging.model.dispatch import parse_callback_data
from services.messaging.model.message import Message, MessageId
from services.messaging.model.thread import conversation_id_of
from services.messaging.store import receipts as store
from services.messaging.store.delivery import NewReceipt, lock_thread
from services.messaging.store.receipts import FoundAttempt, PendingReceipt


async def take_in_report(
    database: Database,
    workspace_id: WorkspaceId,
    channel_id: ChannelId,
    report: StatusReport,
    *,
    at: datetime,
) -> list[Message]:
    """Take in what a platform says about one of our messages; the message, if that changed it.

    A report about a message whose platform id is not known yet waits for it. A repeat changes
    nothing. Events: DeliveryStatusChanged, exactly when the visible message changed.
    """
    async with database.begin(workspace_id) as transaction:
        found = await _find(transaction, channel_id, report)
        if found is None:
            found = await _find_or_keep(transaction, channel_id, report, at=at)
    if found is None:
        return []
    async with database.begin(workspace_id) as transaction:
        # Only now: this transaction holds no lock of a platform's id.
        await lock_thread(transaction, found.conversation_id)
        receipt = NewReceipt(
            message_id=found.message_id,
            attempt_number=found.number,
            status=report.status,
            source=ReceiptSource.WEBHOOK,
            failure=report.failure,
            platform_time=report.platform_time,
            platform_message_id=report.platform_message_id,
        )
        receipts = [receipt]
        if report.platform_message_id:
            claimed, waiting = await claim_platform_id(
                transaction,
                channel_id,
                found.message_id,
                found.number,
                report.platform_message_id,
            )
            receipts += waiting
            if claimed is not None:
                await store.note_platform_id(transaction, found.message_id, found.number, claimed)
        return await take_in_evidence(transaction, workspace_id, receipts, at=at)


async def take_in_watermark(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    conversation_id: str,
    status: DeliveryStatus,
    source: ReceiptSource,
    *,
    at: datetime,
    up_to_seq: int = 2**62,
    up_to_time: datetime | None = None,
) -> list[Message]:
    """Spread "everything up to here was delivered, or read" over the messages it is about.

    The caller holds the lock of the thread. Messages that are not on their way, or are further
    already, are left alone. Events: DeliveryStatusChanged for each message that changed.
    """
    raised: list[DeliveryStatus] = [
        lower
        for lower in DeliveryStatus
        if DeliveryStatus.UNKNOWN <= lower < status and lower is not DeliveryStatus.REPORTED_FAILED
    ]
    marked = await store.read_below(
        transaction,
        conversation_id,
        raised,
        up_to_seq=up_to_seq,
        up_to_time=up_to_time or at,
    )
    receipts = [
        NewReceipt(message_id=message_id, attempt_number=number, status=status, source=source)
        for message_id, number in marked
    ]
    return await take_in_evidence(transaction, workspace_id, receipts, at=at)


async def take_in_watermark_report(
    database: Database,
    workspace_id: WorkspaceId,
    channel_id: ChannelId,
    report: WatermarkReport,
    *,
    at: datetime,
) -> list[Message]:
    """Take in a platform's watermark for one customer."""
    conversation_id = conversation_id_of(channel_id, report.external_id)
    async with database.begin(workspace_id) as transaction:
        if await lock_thread(transaction, conversation_id) is None:
            return []
        return await take_in_watermark(
            transaction,
            workspace_id,
            conversation_id,
            report.status,
            ReceiptSource.WEBHOOK,
            at=at,
            up_to_time=report.up_to,
        )


async def claim_platform_id(
    transaction: Transaction,
    channel_id: str,
    message_id: MessageId,
    number: int,
    platform_message_id: str,
) -> tuple[str | None, list[NewReceipt]]:
    """The id if this attempt may hold it, and the receipts that waited for it.

    An idempotent platform answers a second attempt with the id of the first: it stays there.
    """
    await store.lock_platform_id(transaction, channel_id, platform_message_id)
    holder = await store.find_by_platform_id(transaction, channel_id, platform_message_id)
    if holder is not None and (holder.message_id, holder.number) != (message_id, number):
        return None, []
    waiting = await store.take_pending(
        transaction, channel_id, platform_message_id, message_id=message_id, number=number
    )
    return platform_message_id, waiting


async def _find(
    transaction: Transaction, channel_id: ChannelId, report: StatusReport
) -> FoundAttempt | None:
    named = parse_callback_data(report.callback_data)
    if named is not None:
        found = await store.find_by_name(transaction, channel_id, *named)
        if found is not None:
            return found
    if not report.platform_message_id:
        return None
    return await store.find_by_platform_id(transaction, channel_id, report.platform_message_id)


async def _find_or_keep(
    transaction: Transaction, channel_id: ChannelId, report: StatusReport, *, at: datetime
) -> FoundAttempt | None:
    """Look again under the id's lock, and keep the report if the id is still unknown."""
    if not report.platform_message_id:
        return None
    await store.lock_platform_id(transaction, channel_id, report.platform_message_id)
    found = await store.find_by_platform_id(transaction, channel_id, report.platform_message_id)
    if found is None:
        await store.keep_pending(
            transaction,
            channel_id,
            PendingReceipt(
                report.platform_message_id, report.status, report.failure, report.platform_time
            ),
            at=at,
        )
    return found
