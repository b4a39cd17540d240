"""Messages: what may be said, by whom, and where it stands in its thread."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from chassis.errors import FieldInvalid
from services.messaging.model.attachment import Attachment, refuse_unless_carried
from services.messaging.model.channel import Capabilities, ChannelKind, LengthUnit
from services.messaging.model.delivery import (
    DeliveryState,
    DeliveryStatus,
    Failure,
    ReceiptSource,
)
from services.messaging.model.faults import TextEmpty, TextTooLong
from services.messaging.model.handover import Handover
from services.messaging.model.special import Special
from services.messaging.model.thread import (
    ConversationId,
    ConversationMode,
    Thread,
    next_hold,
    next_resume,
)

MessageId = NewType("MessageId", str)

MAX_INBOUND_TEXT = 32_768
"""Characters of a customer's text that are kept; platforms' own limits are far lower, and an event
has to carry it."""


class Direction(enum.Enum):
    """Which way a message goes; values are the names in SQL."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    """A row for the team; it never leaves and never counts."""


class AuthorKind(enum.Enum):
    """Who wrote a message; values are the names in SQL."""

    CUSTOMER = "customer"
    MEMBER = "member"
    AI = "ai"
    PHONE_APP = "phone_app"
    SYSTEM = "system"


PEOPLE = frozenset({AuthorKind.MEMBER, AuthorKind.PHONE_APP})
"""Those whose message ends the waiting after a handover and keeps the AI away for a while."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, as they were when it was written."""

    kind: AuthorKind
    id: str = ""
    display_name: str = ""


INBOX = Author(AuthorKind.SYSTEM)
"""The author of rows for the team."""


@dataclass(frozen=True, slots=True)
class ModeSwitched:
    """Somebody switched who answers."""

    mode: ConversationMode
    author: Author


@dataclass(frozen=True, slots=True)
class AiResumed:
    """The AI took over again by itself."""


SystemNote = ModeSwitched | Handover | AiResumed
"""What a row for the team tells."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    id: MessageId
    conversation_id: ConversationId
    seq: int
    client_message_id: str
    direction: Direction
    author: Author
    text: str
    inbound_ordinal: int
    create_time: datetime
    delivery_status: DeliveryStatus | None = None
    failure: Failure | None = None
    attempt_count: int = 0
    platform_time: datetime | None = None
    version: int = 1
    system_note: SystemNote | None = None
    attachments: tuple[Attachment, ...] = ()
    """In order; the text is their caption."""
    special: Special | None = None
    """What is neither text nor a file; the text says the same in words."""

    @property
    def has_content(self) -> bool:
        """It carries more than text."""
        return bool(self.attachments) or self.special is not None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One piece of evidence about one attempt, kept for ever."""

    id: str
    message_id: MessageId
    attempt_number: int
    status: DeliveryStatus
    source: ReceiptSource
    create_time: datetime
    platform_time: datetime | None = None
    platform_message_id: str = ""
    failure: Failure | None = None
    author: Author | None = None
    answer_millis: int = 0


def refuse_unless_sayable(
    text: str, limits: Capabilities, attachments: Sequence[Attachment] = ()
) -> None:
    """Whether a channel takes a message.

    Raises: TextEmpty, TextTooLong, FieldInvalid, TooManyAttachments, AttachmentNotSupported,
    AttachmentTooLarge, CaptionNotSupported.
    """
    refuse_unless_text(text, has_attachments=bool(attachments))
    max_length = limits.max_text_length
    if attachments:
        refuse_unless_carried(attachments, limits.attachments, has_text=bool(text))
        max_length = limits.attachments.max_caption_length
    length = text_length(text, limits.text_length_unit)
    if length > max_length:
        raise TextTooLong(length=length, max_length=max_length, unit=limits.text_length_unit.value)


def refuse_unless_text(text: str, *, has_attachments: bool = False) -> None:
    """With files the text is a caption, which may be left out. Raises: TextEmpty, FieldInvalid."""
    if (not text or text.isspace()) and not (has_attachments and not text):
        raise TextEmpty
    if "\x00" in text:
        raise FieldInvalid(field="text", rule="must not contain the character U+0000")


def text_length(text: str, unit: LengthUnit) -> int:
    """How long the text is, as the channel counts it."""
    return len(text.encode()) if unit is LengthUnit.BYTES else len(text)


def storable_text(text: str) -> str:
    """A customer's text as we can keep it: they cannot be told to write it again."""
    return text.replace("\x00", "\ufffd")[:MAX_INBOUND_TEXT]


def first_status(kind: ChannelKind, author: AuthorKind) -> DeliveryStatus:
    """What an outbound message is the moment it is committed.

    A chat box has no platform but us, so the commit itself is the acceptance: SENT. What a person
    wrote in the platform's own phone app was accepted there already. Everything else has to be
    handed over first: QUEUED.
    """
    if kind.is_own_platform or author is AuthorKind.PHONE_APP:
        return DeliveryStatus.SENT
    return DeliveryStatus.QUEUED


def is_same_content(
    stored: Message,
    *,
    conversation_id: str,
    author: Author,
    text: str,
    attachments: Sequence[Attachment] = (),
) -> bool:
    """Whether a repeated client_message_id asks for the message that is stored under it.

    The author's id is left out: a repeat after signing in again is a repeat.
    """
    return (
        stored.conversation_id == conversation_id
        and stored.author.kind is author.kind
        and stored.text == text
        and [(one.media_id, one.kind) for one in stored.attachments]
        == [(one.media_id, one.kind) for one in attachments]
    )


def appended(
    thread: Thread,
    *,
    message_id: MessageId,
    client_message_id: str,
    author: Author,
    text: str,
    at: datetime,
    platform_time: datetime | None = None,
    attachments: tuple[Attachment, ...] = (),
    special: Special | None = None,
) -> tuple[Thread, Message]:
    """The thread with one more message, and that message, at the next place (invariant I3)."""
    is_inbound = author.kind is AuthorKind.CUSTOMER
    is_by_person = author.kind in PEOPLE
    is_by_member = author.kind is AuthorKind.MEMBER
    inbound_count = thread.inbound_count + is_inbound
    message = Message(
        id=message_id,
        conversation_id=thread.conversation_id,
        seq=thread.last_seq + 1,
        client_message_id=client_message_id,
        direction=Direction.INBOUND if is_inbound else Direction.OUTBOUND,
        author=author,
        text=text,
        inbound_ordinal=inbound_count,
        create_time=at,
        delivery_status=None if is_inbound else first_status(thread.channel_kind, author.kind),
        attempt_count=0 if is_inbound else 1,
        platform_time=platform_time,
        attachments=attachments,
        special=special,
    )
    grown = Thread(
        conversation_id=thread.conversation_id,
        channel_id=thread.channel_id,
        channel_kind=thread.channel_kind,
        external_id=thread.external_id,
        customer_name=thread.customer_name,
        mode=thread.mode,
        mode_epoch=thread.mode_epoch,
        last_seq=message.seq,
        inbound_count=inbound_count,
        last_message_time=at,
        create_time=thread.create_time,
        version=thread.version + 1,
        manual_until=next_resume(thread, at) if is_by_person else thread.manual_until,
        resume_ai_after=thread.resume_ai_after,
        is_manual_kept=thread.is_manual_kept,
        handover=None if is_by_person else thread.handover,
        hold=next_hold(thread, author.id, at) if is_by_member else thread.hold,
    )
    return grown, message


def noted(
    thread: Thread, note: SystemNote, *, message_id: MessageId, client_message_id: str, at: datetime
) -> tuple[Thread, Message]:
    """The thread with a row for the team, and that row: a place in the order, and no activity."""
    row = Message(
        id=message_id,
        conversation_id=thread.conversation_id,
        seq=thread.last_seq + 1,
        client_message_id=client_message_id,
        direction=Direction.INTERNAL,
        author=INBOX,
        text="",
        inbound_ordinal=thread.inbound_count,
        create_time=at,
        system_note=note,
    )
    return replace(thread, last_seq=row.seq, version=thread.version + 1), row


def with_delivery(message: Message, delivery: DeliveryState) -> Message:
    """The message at that state; the same object when nothing changed."""
    if (
        message.delivery_status == delivery.status
        and message.failure == delivery.failure
        and message.attempt_count == delivery.attempt_count
    ):
        return message
    return replace(
        message,
        delivery_status=delivery.status,
        failure=delivery.failure,
        attempt_count=delivery.attempt_count,
        version=message.version + 1,
    )
