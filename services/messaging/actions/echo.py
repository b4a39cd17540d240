"""Echoes: what the business sent, told again by its platform.

An echo of our own message is one more piece of evidence that it was sent. Anything else a person
wrote in the platform's own app: it is stored, and that person has the conversation now.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from chassis import audit, outbox
from chassis.audit import SYSTEM
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from services.messaging import events
from services.messaging.actions import audited
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.actions.inbound import client_message_id_of
from services.messaging.actions.receipts import claim_platform_id, take_in_report
from services.messaging.actions.switching import switch_over
from services.messaging.channels.port import EchoedText, StatusReport
from services.messaging.model.delivery import DeliveryStatus, ReceiptSource
from services.messaging.model.draft import Opening
from services.messaging.model.faults import ConversationNotFound
from services.messaging.model.message import (
    Author,
    AuthorKind,
    MessageId,
    ModeSwitched,
    appended,
    storable_text,
)
from services.messaging.model.mode import switched
from services.messaging.model.thread import ConversationMode, Thread, conversation_id_of
from services.messaging.store import settings, threads
from services.messaging.store.delivery import NewReceipt, lock_thread

PHONE = Author(AuthorKind.PHONE_APP)


class _KnownAlready(Exception):
    """Nothing happens: not even an empty thread is opened."""


async def take_in_echo(
    database: Database,
    workspace_id: WorkspaceId,
    opening: Opening,
    echo: EchoedText,
    *,
    at: datetime,
) -> None:
    """Take in an echo; a repeat changes nothing.

    A message of the phone app takes the conversation over from the AI in its own transaction, like
    any takeover, and opens it where the customer never wrote.
    Events: ThreadOpened, MessageCreated, those of a takeover; DeliveryStatusChanged for ours.
    """
    if echo.is_ours:
        report = StatusReport(
            dedupe_key=echo.dedupe_key,
            external_id=echo.external_id,
            platform_message_id=echo.platform_message_id,
            callback_data=echo.callback_data,
            status=DeliveryStatus.SENT,
            failure=None,
            platform_time=echo.platform_time,
        )
        await take_in_report(database, workspace_id, opening.channel_id, report, at=at)
        return
    with suppress(_KnownAlready):
        async with database.begin(workspace_id) as transaction:
            await _store(transaction, workspace_id, opening, echo, at=at)


async def _store(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    opening: Opening,
    echo: EchoedText,
    *,
    at: datetime,
) -> None:
    thread = await _locked(transaction, workspace_id, opening, at=at)
    client_message_id = client_message_id_of(opening.channel_id, echo.platform_message_id)
    if await threads.find_message(transaction, client_message_id) is not None:
        raise _KnownAlready
    message_id = MessageId(new_id())
    claimed, waiting = await claim_platform_id(
        transaction, opening.channel_id, message_id, 1, echo.platform_message_id
    )
    if claimed is None:
        # The platform's answer to a send of ours bore this id: it was ours after all.
        raise _KnownAlready
    thread, message = appended(
        thread,
        message_id=message_id,
        client_message_id=client_message_id,
        author=PHONE,
        text=storable_text(echo.text),
        at=at,
        platform_time=echo.platform_time,
    )
    await threads.save(transaction, thread)
    await threads.add_message(transaction, message)
    await threads.add_ended_attempt(transaction, message, thread, claimed)
    created = events.message_created(workspace_id, message, thread)
    await outbox.append(transaction, [created], at=at)
    accepted = NewReceipt(
        message_id=message_id,
        attempt_number=1,
        status=DeliveryStatus.SENT,
        source=ReceiptSource.WEBHOOK,
        platform_time=echo.platform_time,
        platform_message_id=claimed,
    )
    await take_in_evidence(transaction, workspace_id, [accepted, *waiting], at=at)
    await _take_over(transaction, workspace_id, thread, at=at)


async def _locked(
    transaction: Transaction, workspace_id: WorkspaceId, opening: Opening, *, at: datetime
) -> Thread:
    """The customer's thread, held until the end, opened where there was none."""
    conversation_id = conversation_id_of(opening.channel_id, opening.external_id)
    thread = await lock_thread(transaction, conversation_id)
    if thread is not None:
        return thread
    was_opened = await threads.open_thread(transaction, conversation_id, opening, at=at)
    thread = await lock_thread(transaction, conversation_id)
    if thread is None:
        raise ConversationNotFound(conversation_id=conversation_id)
    if was_opened:
        await outbox.append(transaction, [events.thread_opened(workspace_id, thread)], at=at)
    return thread


async def _take_over(
    transaction: Transaction, workspace_id: WorkspaceId, thread: Thread, *, at: datetime
) -> None:
    after = switched(
        thread,
        ConversationMode.MANUAL,
        expected_mode_epoch=0,
        keep_manual=False,
        resume_ai_after=(await settings.read(transaction)).resume_ai_after,
        at=at,
    )
    if after is not thread:
        changes = [audited.mode_switched(thread, after)]
        await audit.append(transaction, SYSTEM, "answered_by_phone", changes, at=at)
        note = ModeSwitched(ConversationMode.MANUAL, PHONE)
        await switch_over(transaction, workspace_id, after, note, author=PHONE, at=at)
