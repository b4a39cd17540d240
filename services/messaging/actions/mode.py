"""Who answers in a conversation: people and the AI switch, hand over, and keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId
from services.messaging import events
from services.messaging.actions import audited
from services.messaging.actions.switching import switch_over
from services.messaging.model.faults import ConversationNotFound
from services.messaging.model.handover import (
    CollectedField,
    Handover,
    HandoverReason,
    refuse_unless_sound,
)
from services.messaging.model.message import Author, AuthorKind, ModeSwitched
from services.messaging.model.mode import handed_over, kept, switched
from services.messaging.model.thread import ConversationMode, Thread
from services.messaging.store import requests, settings, threads
from services.messaging.store.delivery import lock_thread


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
    by: Caller,
    on_commit: Callable[[], None],
    keep_manual: bool = False,
) -> Thread:
    """Hand a conversation to the AI, or take it over.

    From the commit on no message of the AI is accepted under an older epoch, and those that were
    still queued when a person took over are withdrawn in the same transaction (invariant I15).
    A repeat of the request, or the mode it has already, changes nothing and returns the thread.
    Events: ModeChanged; where the mode switched, also the MessageCreated of the row that tells so.
    Raises: ConversationNotFound, ModeEpochStale, IdempotencyKeyReused.
    """
    at = clock.now()
    async with database.begin(workspace_id) as transaction:
        thread, is_repeat = await _locked(
            transaction,
            conversation_id,
            request_id,
            "SetMode",
            (mode.value, expected_mode_epoch, *(["keep"] if keep_manual else [])),
            at=at,
        )
        if is_repeat:
            return thread
        after = switched(
            thread,
            mode,
            expected_mode_epoch=expected_mode_epoch,
            keep_manual=keep_manual,
            resume_ai_after=(await settings.read(transaction)).resume_ai_after,
            at=at,
            member_id=author.id if author.kind is AuthorKind.MEMBER else "",
        )
        if after is thread:
            return thread
        transaction.after_commit(on_commit)
        changes = [audited.mode_switched(thread, after)]
        await audit.append(transaction, by, "MessagingService/SetMode", changes, at=at)
        if after.mode is thread.mode:
            return await _save(transaction, workspace_id, after, author, at=at)
        return await switch_over(
            transaction, workspace_id, after, ModeSwitched(mode, author), author=author, at=at
        )


async def keep_manual(
    database: Database,
    clock: Clock,
    workspace_id: WorkspaceId,
    *,
    conversation_id: str,
    is_kept: bool,
    request_id: str,
    expected_mode_epoch: int,
    author: Author,
    by: Caller,
    on_commit: Callable[[], None],
) -> Thread:
    """Keep the AI from taking a conversation over by itself, or let it.

    A repeat, or what is so already, changes nothing and returns the thread. Events: ModeChanged.
    Raises: ConversationNotFound, ConversationInAiMode, ModeEpochStale, IdempotencyKeyReused.
    """
    at = clock.now()
    async with database.begin(workspace_id) as transaction:
        thread, is_repeat = await _locked(
            transaction,
            conversation_id,
            request_id,
            "KeepManual",
            (int(is_kept), expected_mode_epoch),
            at=at,
        )
        if is_repeat:
            return thread
        after = kept(thread, is_kept=is_kept, expected_mode_epoch=expected_mode_epoch, at=at)
        if after is thread:
            return thread
        transaction.after_commit(on_commit)
        changes = [audited.mode_switched(thread, after)]
        await audit.append(transaction, by, "MessagingService/KeepManual", changes, at=at)
        return await _save(transaction, workspace_id, after, author, at=at)


async def hand_over(
    database: Database,
    clock: Clock,
    workspace_id: WorkspaceId,
    *,
    conversation_id: str,
    request_id: str,
    mode_epoch: int,
    reason: HandoverReason,
    summary: str,
    fields: tuple[CollectedField, ...],
    author: Author,
    by: Caller,
    on_commit: Callable[[], None],
) -> Thread:
    """Give a conversation from the AI to people, as a takeover does; it then waits for a person.

    A repeat of the request changes nothing and returns the thread.
    Events: ModeChanged and the MessageCreated of the row that tells of the handover.
    Raises: ConversationNotFound, ConversationInManualMode, ModeEpochStale, FieldInvalid,
    IdempotencyKeyReused.
    """
    at = clock.now()
    handover = Handover(reason, summary, fields, create_time=at)
    refuse_unless_sound(handover)
    told = [part for field in fields for part in (field.key, field.value, field.source_seq)]
    async with database.begin(workspace_id) as transaction:
        thread, is_repeat = await _locked(
            transaction,
            conversation_id,
            request_id,
            "HandOver",
            (mode_epoch, reason.value, summary, *told),
            at=at,
        )
        if is_repeat:
            return thread
        after = handed_over(
            thread,
            handover,
            mode_epoch=mode_epoch,
            resume_ai_after=(await settings.read(transaction)).resume_ai_after,
        )
        transaction.after_commit(on_commit)
        changes = [audited.mode_switched(thread, after)]
        await audit.append(transaction, by, "MessagingService/HandOver", changes, at=at)
        return await switch_over(transaction, workspace_id, after, handover, author=author, at=at)


async def _locked(
    transaction: Transaction,
    conversation_id: str,
    request_id: str,
    method: str,
    content: tuple[str | int, ...],
    *,
    at: datetime,
) -> tuple[Thread, bool]:
    """The thread, held until the end, and whether the request is a repeat."""
    thread = await lock_thread(transaction, conversation_id)
    if thread is None:
        raise ConversationNotFound(conversation_id=conversation_id)
    repeated = await requests.remember(
        transaction,
        request_id,
        method=method,
        digest=requests.digest_of(conversation_id, *content),
        entity_id=conversation_id,
        at=at,
    )
    return thread, repeated is not None


async def _save(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    thread: Thread,
    author: Author,
    *,
    at: datetime,
) -> Thread:
    await threads.save(transaction, thread)
    await outbox.append(transaction, [events.mode_changed(workspace_id, thread, author)], at=at)
    return thread
