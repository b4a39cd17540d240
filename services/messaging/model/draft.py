"""Drafts: what somebody wants to have stored, and whether it may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.messaging.model.attachment import Attachment
from services.messaging.model.attachment_faults import AttachmentsOnlyByPeople
from services.messaging.model.channel import CAPABILITIES, ChannelId, ChannelKind, ChannelState
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.faults import ChannelNotConnected, ClientMessageIdReused
from services.messaging.model.message import (
    Author,
    AuthorKind,
    Message,
    is_same_content,
    refuse_unless_sayable,
)
from services.messaging.model.special import Special
from services.messaging.model.thread import (
    ConversationId,
    Thread,
    refuse_unless_ai_may_write,
    refuse_unless_person_may_write,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a thread is made of when its first message comes."""

    channel_id: ChannelId
    channel_kind: ChannelKind
    external_id: str
    customer_name: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is to be stored."""

    conversation_id: ConversationId
    client_message_id: str
    author: Author
    text: str
    mode_epoch: int = 0
    """What the AI believes in; nobody else says one."""
    opening: Opening | None = None
    """With a customer's message: what to open the thread with if this is the first."""
    platform_time: datetime | None = None
    is_platform_id: bool = False
    """The client id was derived from a platform's id, which alone says what is a repeat."""
    attachments: tuple[Attachment, ...] = ()
    special: Special | None = None

    @property
    def has_content(self) -> bool:
        """It carries more than text."""
        return bool(self.attachments) or self.special is not None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that is stored for good."""

    message: Message
    replayed: bool
    """It was stored before; nothing was added."""

    @property
    def is_queued(self) -> bool:
        """Whether its platform has to be called."""
        return self.message.delivery_status is DeliveryStatus.QUEUED


def refuse_unless_repeat(stored: Message, draft: Draft) -> None:
    """Raises: ClientMessageIdReused, when the id stands for another message (invariant I2)."""
    if draft.is_platform_id and stored.conversation_id == draft.conversation_id:
        return
    if not is_same_content(
        stored,
        conversation_id=draft.conversation_id,
        author=draft.author,
        text=draft.text,
        attachments=draft.attachments,
    ):
        raise ClientMessageIdReused(client_message_id=draft.client_message_id)


def refuse_unless_acceptable(draft: Draft, thread: Thread, channel_state: ChannelState) -> None:
    """Whether the thread takes the draft right now; the caller holds the thread's lock.

    A channel that needs reconnection takes messages: they wait. What a platform reports, a
    customer's message or one written on its own phone app, has happened already and is never
    refused; in a chat box we are the platform.
    Raises: ConversationInAiMode, ConversationInManualMode, ModeEpochStale, ChannelNotConnected,
    AttachmentsOnlyByPeople, and what `refuse_unless_sayable` raises.
    """
    kind = draft.author.kind
    is_sent_by_us = kind in (AuthorKind.MEMBER, AuthorKind.AI)
    if kind is AuthorKind.MEMBER:
        refuse_unless_person_may_write(thread)
    elif kind is AuthorKind.AI:
        refuse_unless_ai_may_write(thread, draft.mode_epoch)
        if draft.attachments:
            raise AttachmentsOnlyByPeople(conversation_id=thread.conversation_id)
    if is_sent_by_us or thread.channel_kind.is_own_platform:
        if channel_state is ChannelState.NOT_CONNECTED:
            raise ChannelNotConnected(channel_id=thread.channel_id)
        refuse_unless_sayable(draft.text, CAPABILITIES[thread.channel_kind], draft.attachments)
