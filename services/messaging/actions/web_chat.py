"""The customer's side of the chat box.

A chat box has no platform but us. So a message to it is SENT the moment it is committed (see
`model.message.first_status`): no lane, no dispatcher, no outside call that could fail. The box's
own acknowledgements are the receipts that make it DELIVERED and READ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chassis.auth import Caller, VisitorBinding
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.errors import RoleNotAllowed
from chassis.ids import WorkspaceId, new_secret
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.actions.writers import Writers
from services.messaging.model.channel import (
    CAPABILITIES,
    Channel,
    ChannelId,
    ChannelKind,
    ChannelState,
    WebChatSettings,
)
from services.messaging.model.delivery import ReceiptSource
from services.messaging.model.draft import Draft, Opening, Stored
from services.messaging.model.faults import ChannelNotConnected, ChannelNotFound
from services.messaging.model.message import Author, AuthorKind, refuse_unless_sayable
from services.messaging.model.thread import ConversationId, conversation_id_of
from services.messaging.model.web_chat import (
    SECRET_PREFIX,
    external_id_of,
    newly_acknowledged,
    raised,
    refuse_unless_embeddable,
    refuse_unless_secret,
)
from services.messaging.store import channels
from services.messaging.store import web_chat as store
from services.messaging.store.delivery import NewReceipt, lock_thread
from services.messaging.store.history import get_thread

MAX_ACKNOWLEDGED = 200
"""Seqs that one transaction acknowledges at most; the rest follows in the next."""


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """Lets a visitor's box in until it ends."""

    access_token: str
    expire_time: datetime


class VisitorTokens(Protocol):
    """Makes tokens for visitors; identity does."""

    async def issue(
        self, workspace_id: WorkspaceId, binding: VisitorBinding, display_name: str
    ) -> VisitorToken:
        """Raises: TemporarilyUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class OpenBox:
    """An open chat box."""

    visitor_secret: str
    token: VisitorToken
    conversation_id: ConversationId
    channel_display_name: str
    settings: WebChatSettings


async def open_session(
    app: Database,
    worker: Database,
    tokens: VisitorTokens,
    *,
    channel_id: str,
    visitor_secret: str,
    display_name: str,
    embedding_origin: str,
    own_origins: tuple[str, ...],
) -> OpenBox:
    """Open the box for a new visitor, or for the one whose browser kept the secret.

    Nothing is stored: the visitor's identity follows from the secret, so a repeat gives the same
    conversation and a flood of openings costs no rows.
    Raises: ChannelNotFound, ChannelNotConnected, OriginNotAllowed, FieldInvalid,
    TemporarilyUnavailable.
    """
    if visitor_secret:
        refuse_unless_secret(visitor_secret)
    box = await _find_box(app, worker, channel_id)
    settings = _settings_of(box)
    refuse_unless_embeddable(embedding_origin, (*own_origins, *settings.allowed_origins))
    if box.state is ChannelState.NOT_CONNECTED:
        raise ChannelNotConnected(channel_id=channel_id)
    secret = visitor_secret or SECRET_PREFIX + new_secret()
    external_id = external_id_of(box.id, secret)
    conversation_id = conversation_id_of(box.id, external_id)
    token = await tokens.issue(
        box.workspace_id, VisitorBinding(box.id, external_id, conversation_id), display_name
    )
    return OpenBox(
        visitor_secret=secret,
        token=token,
        conversation_id=conversation_id,
        channel_display_name=box.display_name,
        settings=settings,
    )


async def _find_box(app: Database, worker: Database, channel_id: str) -> Channel:
    async with worker.begin() as transaction:
        route = await channels.read_route(transaction, channel_id)
    if route is None or route.kind is not ChannelKind.WEB_CHAT:
        raise ChannelNotFound(channel_id=channel_id)
    async with app.begin(route.workspace_id) as transaction:
        box = await channels.read(transaction, channel_id)
    if box is None:
        raise ChannelNotFound(channel_id=channel_id)
    return box


def _settings_of(box: Channel) -> WebChatSettings:
    return box.settings if isinstance(box.settings, WebChatSettings) else WebChatSettings()


async def get_embedding(app: Database, worker: Database, channel_id: str) -> tuple[str, ...]:
    """The sites that may show the box, as its owner wrote them. Raises: ChannelNotFound."""
    box = await _find_box(app, worker, channel_id)
    return _settings_of(box).allowed_origins


def visitor_of(caller: Caller) -> VisitorBinding:
    """The identity a visitor's token is bound to. Raises: RoleNotAllowed."""
    if caller.visitor is None:
        raise RoleNotAllowed(role=caller.role.value, allowed_roles="visitor")
    return caller.visitor


def begin_post(
    writers: Writers,
    caller: Caller,
    *,
    client_message_id: str,
    text: str,
    within: timedelta,
    traceparent: str = "",
) -> asyncio.Future[Stored]:
    """Queue a visitor's message; the future holds what became of it.

    The first one opens the conversation. A repeat with the same client_message_id and text returns
    the original, with `replayed`.
    Raises, or the future does: TextEmpty, TextTooLong, FieldInvalid, ChannelNotConnected,
    ClientMessageIdReused, TooManyWaiting, TemporarilyUnavailable.
    """
    visitor = visitor_of(caller)
    refuse_unless_sayable(text, CAPABILITIES[ChannelKind.WEB_CHAT])
    draft = Draft(
        conversation_id=ConversationId(visitor.conversation_id),
        client_message_id=client_message_id,
        author=Author(AuthorKind.CUSTOMER, display_name=caller.display_name),
        text=text,
        opening=Opening(
            channel_id=ChannelId(visitor.channel_id),
            channel_kind=ChannelKind.WEB_CHAT,
            external_id=visitor.external_id,
            customer_name=caller.display_name,
        ),
    )
    return writers.submit(caller.workspace, draft, within=within, traceparent=traceparent)


async def acknowledge(
    database: Database,
    clock: Clock,
    caller: Caller,
    *,
    delivered_up_to_seq: int,
    read_up_to_seq: int,
    on_commit: Callable[[], None],
) -> None:
    """Note what the box has and what was on screen; one event for each message that changed.

    Marks only rise, so a repeat, or an older acknowledgement that comes late, changes nothing and
    takes no lock. What is above the newest message, or before the first, says nothing.
    """
    visitor = visitor_of(caller)
    conversation_id = visitor.conversation_id
    while True:
        async with database.begin(caller.workspace) as transaction:
            is_done = await _acknowledge_some(
                transaction,
                caller.workspace,
                conversation_id,
                delivered_up_to_seq=delivered_up_to_seq,
                read_up_to_seq=read_up_to_seq,
                at=clock.now(),
            )
            transaction.after_commit(on_commit)
        if is_done:
            return


async def _acknowledge_some(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    conversation_id: str,
    *,
    delivered_up_to_seq: int,
    read_up_to_seq: int,
    at: datetime,
) -> bool:
    """Acknowledge the next messages, at most MAX_ACKNOWLEDGED of them; whether none are left."""
    thread = await get_thread(transaction, conversation_id)
    if thread is None:
        return True
    before = await store.read_marks(transaction, conversation_id)
    wanted = raised(
        before,
        delivered_up_to_seq=delivered_up_to_seq,
        read_up_to_seq=read_up_to_seq,
        last_seq=thread.last_seq,
    )
    if wanted == before:
        return True
    await lock_thread(transaction, conversation_id)
    before = await store.read_marks(transaction, conversation_id)
    after = raised(
        before,
        delivered_up_to_seq=min(
            wanted.delivered_up_to_seq, before.delivered_up_to_seq + MAX_ACKNOWLEDGED
        ),
        read_up_to_seq=min(wanted.read_up_to_seq, before.read_up_to_seq + MAX_ACKNOWLEDGED),
        last_seq=thread.last_seq,
    )
    receipts: list[NewReceipt] = []
    for stretch in newly_acknowledged(before, after):
        receipts += [
            NewReceipt(message_id, number, stretch.status, ReceiptSource.WEB_CHAT)
            for message_id, number in await store.acknowledged_messages(
                transaction, conversation_id, stretch
            )
        ]
    await store.save_marks(transaction, conversation_id, after, at=at)
    await take_in_evidence(transaction, workspace_id, receipts, at=at)
    return after in (wanted, before)
