"""Trying a failed message again: a new attempt under the same channel key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId
from services.messaging import events
from services.messaging.actions import audited
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.model.channel import ChannelState
from services.messaging.model.delivery import (
    DeliveryStatus,
    ReceiptSource,
    delivery_of,
)
from services.messaging.model.dispatch import OpenAttempt
from services.messaging.model.faults import (
    ChannelNotConnected,
    MessageNotFailed,
    MessageNotFound,
    MessageNotRetryable,
)
from services.messaging.model.message import (
    Author,
    AuthorKind,
    Message,
    MessageId,
    with_delivery,
)
from services.messaging.model.thread import (
    Thread,
    refuse_unless_ai_may_write,
    refuse_unless_person_may_write,
)
from services.messaging.store import channels as channel_store
from services.messaging.store import requests
from services.messaging.store import retry as store
from services.messaging.store.delivery import (
    NewReceipt,
    lock_thread,
    read_deliveries,
    save_attempts,
    save_messages,
)

METHOD = "RetryMessage"


async def retry_message(
    database: Database,
    clock: Clock,
    caller: Caller,
    *,
    message_id: str,
    request_id: str,
    wake: Callable[[], None],
) -> Message:
    """Send a failed message again under the same channel key.

    A repeat, by the same request id or by another click while it is on its way, makes no further
    attempt and returns the message. `wake` is called once it is committed.
    Events: DeliveryStatusChanged.
    Raises: MessageNotFound, MessageNotFailed, MessageNotRetryable, ChannelNotConnected,
    ConversationInAiMode, ConversationInManualMode, ModeEpochStale, IdempotencyKeyReused.
    """
    async with database.begin(caller.workspace) as transaction:
        conversation_id = await store.find_conversation(transaction, message_id)
        thread = conversation_id and await lock_thread(transaction, conversation_id)
        if not thread:
            raise MessageNotFound(message_id=message_id)
        deliveries = await read_deliveries(transaction, [message_id])
        delivery = deliveries.get(MessageId(message_id))
        if delivery is None:
            raise MessageNotFailed(message_id=message_id, delivery_status="inbound")
        message = delivery.message
        now = clock.now()
        repeated = await requests.remember(
            transaction,
            request_id,
            method=METHOD,
            digest=requests.digest_of(message_id),
            entity_id=message_id,
            at=now,
        )
        if repeated is not None:
            return message
        status = message.delivery_status
        if status is not None and status.is_open:
            return message
        _refuse_unless_retryable(message, thread)
        channel = await channel_store.read(transaction, thread.channel_id)
        if channel is None or channel.state is ChannelState.NOT_CONNECTED:
            raise ChannelNotConnected(channel_id=thread.channel_id)
        transaction.after_commit(wake)
        (changed,) = await add_attempts(
            transaction,
            caller.workspace,
            [message.id],
            source=ReceiptSource.API,
            at=now,
            author=Author(AuthorKind.MEMBER, caller.id, caller.display_name),
        )
        changes = [audited.message_retried(message, changed)]
        await audit.append(transaction, caller, "MessagingService/RetryMessage", changes, at=now)
    return changed


async def add_attempts(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    message_ids: Sequence[MessageId],
    *,
    source: ReceiptSource,
    at: datetime,
    author: Author | None = None,
) -> list[Message]:
    """Queue one more attempt for each message, in the order given; under the thread's lock.

    Events: DeliveryStatusChanged for each.
    """
    added = await store.add_attempts(transaction, message_ids, at=at)
    receipts = [
        NewReceipt(
            message_id=attempt.message_id,
            attempt_number=attempt.number,
            status=DeliveryStatus.QUEUED,
            source=source,
            author=author,
        )
        for attempt in added
    ]
    return await take_in_evidence(transaction, workspace_id, receipts, at=at)


async def cancel_attempts(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    attempts: Sequence[OpenAttempt],
    *,
    at: datetime,
) -> None:
    """Drop attempts between two calls, whose message has arrived by an earlier attempt.

    `model.delivery.cancelled_by_arrival` does so for attempts that were never called; these were,
    but no byte of them is at the platform. Events: DeliveryStatusChanged for what changed.
    """
    if not attempts:
        return
    dropped = {(attempt.message_id, attempt.number) for attempt in attempts}
    deliveries = await read_deliveries(transaction, sorted({name for name, _ in dropped}))
    changed = []
    for message_id, delivery in deliveries.items():
        states = [
            replace(state, is_cancelled=True) if (message_id, state.number) in dropped else state
            for state in delivery.attempts
        ]
        await save_attempts(
            transaction, [(message_id, state) for state in states if state.is_cancelled]
        )
        message = with_delivery(delivery.message, delivery_of(states))
        if message is not delivery.message:
            changed.append(message)
    await save_messages(transaction, changed)
    await outbox.append(
        transaction,
        [events.delivery_status_changed(workspace_id, message) for message in changed],
        at=at,
    )


def _refuse_unless_retryable(message: Message, thread: Thread) -> None:
    """Raises: MessageNotFailed, MessageNotRetryable, and what the mode refuses."""
    status = message.delivery_status
    if status is None or not status.is_failed:
        name = "inbound" if status is None else status.name.lower()
        raise MessageNotFailed(message_id=message.id, delivery_status=name)
    if message.failure is not None and not message.failure.is_retryable:
        raise MessageNotRetryable(
            message_id=message.id, failure_reason=message.failure.reason.value
        )
    # What the mode forbids to write it forbids to send again (invariant I15).
    if message.author.kind is AuthorKind.AI:
        refuse_unless_ai_may_write(thread, thread.mode_epoch)
    else:
        refuse_unless_person_may_write(thread)
