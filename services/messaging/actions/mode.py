"""Who answers in a conversation: the AI or a person."""

from __future__ import annotations

from collections.abc import Callable

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database
from chassis.ids import WorkspaceId
from services.messaging import events
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.model.delivery import TAKEN_OVER, DeliveryStatus, ReceiptSource
from services.messaging.model.faults import ConversationNotFound
from services.messaging.model.message import Author
from services.messaging.model.thread import ConversationMode, Thread, switched
from services.messaging.store import requests, threads
from services.messaging.store.delivery import NewReceipt, lock_thread


async def set_mode(
    database: Database,
    clock: Clock,
    workspace_id: WorkspaceId,
    *,
    conversation_id: str,
    mode: ConversationMode,
    request_id: str,
    expected_mode_epoch: int,
    author: Author,
    on_commit: Callable[[], None],
) -> Thread:
    """Hand a conversation to the AI, or take it over.

    From the commit on no message of the AI is accepted under an older epoch, and those that were
    still queued when a person took over are withdrawn in the same transaction (invariant I15).
    A repeat of the request, or the mode it has already, changes nothing and returns the thread.
    Raises: ConversationNotFound, ModeEpochStale, IdempotencyKeyReused.
    """
    at = clock.now()
    async with database.begin(workspace_id) as transaction:
        thread = await lock_thread(transaction, conversation_id)
        if thread is None:
            raise ConversationNotFound(conversation_id=conversation_id)
        repeated = await requests.remember(
            transaction,
            request_id,
            method="SetMode",
            digest=requests.digest_of(conversation_id, mode.value, expected_mode_epoch),
            entity_id=conversation_id,
            at=at,
        )
        if repeated is not None:
            return thread
        after = switched(thread, mode, expected_mode_epoch=expected_mode_epoch)
        if after is thread:
            return thread
        await threads.save_mode(transaction, after)
        if mode is ConversationMode.MANUAL:
            withdrawn = await threads.queued_ai_attempts(transaction, conversation_id)
            await take_in_evidence(
                transaction,
                workspace_id,
                [
                    NewReceipt(
                        message_id=message_id,
                        attempt_number=number,
                        status=DeliveryStatus.REPORTED_FAILED,
                        source=ReceiptSource.API,
                        failure=TAKEN_OVER,
                        author=author,
                    )
                    for message_id, number in withdrawn
                ],
                at=at,
            )
        await outbox.append(transaction, [events.mode_changed(workspace_id, after, author)], at=at)
        transaction.after_commit(on_commit)
    return after
