"""What every switch of who answers does, whoever causes it, in the transaction of its cause."""

from __future__ import annotations

from datetime import datetime

from chassis import outbox
from chassis.database import Transaction
from chassis.ids import WorkspaceId, new_id
from services.messaging import events
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.model.delivery import TAKEN_OVER, DeliveryStatus, ReceiptSource
from services.messaging.model.message import Author, MessageId, SystemNote, noted
from services.messaging.model.thread import ConversationMode, Thread
from services.messaging.store import threads
from services.messaging.store.delivery import NewReceipt


async def switch_over(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    switched: Thread,
    note: SystemNote,
    *,
    author: Author,
    at: datetime,
) -> Thread:
    """Write a thread in its new mode with the row that tells so; returns it with that row.

    What of the AI has not left yet is withdrawn when people have it now (invariant I15).
    The caller holds the thread's lock. Events: DeliveryStatusChanged for each message withdrawn,
    ModeChanged, MessageCreated.
    """
    grown, row = noted(
        switched, note, message_id=MessageId(new_id()), client_message_id=new_id(), at=at
    )
    await threads.save(transaction, grown)
    await threads.add_message(transaction, row)
    if switched.mode is ConversationMode.MANUAL:
        await _withdraw(transaction, workspace_id, switched, author=author, at=at)
    told = [
        events.mode_changed(workspace_id, switched, author),
        events.message_created(workspace_id, row, grown),
    ]
    await outbox.append(transaction, told, at=at)
    return grown


async def _withdraw(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    thread: Thread,
    *,
    author: Author,
    at: datetime,
) -> None:
    unsent = await threads.unsent_ai_attempts(transaction, thread.conversation_id)
    receipts = [
        NewReceipt(
            message_id=message_id,
            attempt_number=number,
            status=DeliveryStatus.REPORTED_FAILED,
            source=ReceiptSource.API,
            failure=TAKEN_OVER,
            author=author,
        )
        for message_id, number in unsent
    ]
    await take_in_evidence(transaction, workspace_id, receipts, at=at)
