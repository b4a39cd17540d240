"""Taking in evidence about messages of one conversation: invariant I8 in one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis import outbox
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging import events
from services.messaging.model.delivery import (
    AttemptState,
    Evidence,
    after_evidence,
    cancelled_by_arrival,
    delivery_of,
)
from services.messaging.model.message import Message, MessageId, with_delivery
from services.messaging.store import delivery as store
from services.messaging.store.delivery import Delivery, NewReceipt


async def take_in_evidence(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    receipts: Sequence[NewReceipt],
    *,
    at: datetime,
) -> list[Message]:
    """Keep the receipts, raise what they raise, and tell of each message that changed.

    The caller holds the lock of the conversation's thread (`store.delivery.lock_thread`): all
    receipts are about that conversation. Evidence about unknown messages or attempts is left out.
    A repeat changes nothing. Returns the changed messages in order of seq.
    """
    deliveries = await store.read_deliveries(
        transaction, list({receipt.message_id for receipt in receipts})
    )
    known = [receipt for receipt in _without_repeats(receipts) if _is_about(deliveries, receipt)]
    by_message: dict[MessageId, list[NewReceipt]] = defaultdict(list)
    for receipt in known:
        by_message[receipt.message_id].append(receipt)
    attempts: list[tuple[MessageId, AttemptState]] = []
    messages: list[Message] = []
    for message_id, delivery in deliveries.items():
        after = _attempts_after(delivery.attempts, by_message[message_id])
        attempts += [
            (message_id, attempt)
            for attempt, before in zip(after, delivery.attempts, strict=True)
            if attempt != before
        ]
        message = with_delivery(delivery.message, delivery_of(after))
        if message is not delivery.message:
            messages.append(message)
    await store.save_attempts(transaction, attempts)
    await store.add_receipts(transaction, known, at=at)
    await store.save_messages(transaction, messages)
    await outbox.append(
        transaction,
        [events.delivery_status_changed(workspace_id, message) for message in messages],
        at=at,
    )
    return messages


def _without_repeats(receipts: Sequence[NewReceipt]) -> list[NewReceipt]:
    said: dict[tuple[object, ...], NewReceipt] = {}
    for receipt in receipts:
        attempt = (receipt.message_id, receipt.attempt_number)
        said.setdefault((attempt, receipt.status, receipt.source, receipt.failure), receipt)
    return list(said.values())


def _is_about(deliveries: dict[MessageId, Delivery], receipt: NewReceipt) -> bool:
    delivery = deliveries.get(receipt.message_id)
    return delivery is not None and any(
        attempt.number == receipt.attempt_number for attempt in delivery.attempts
    )


def _attempts_after(
    attempts: Sequence[AttemptState], receipts: Sequence[NewReceipt]
) -> tuple[AttemptState, ...]:
    by_number = {attempt.number: attempt for attempt in attempts}
    for receipt in receipts:
        evidence = Evidence(receipt.attempt_number, receipt.status, receipt.failure)
        by_number[receipt.attempt_number] = after_evidence(
            by_number[receipt.attempt_number], evidence
        )
    for number in cancelled_by_arrival(by_number.values()):
        by_number[number] = replace(by_number[number], is_cancelled=True)
    return tuple(by_number[attempt.number] for attempt in attempts)
