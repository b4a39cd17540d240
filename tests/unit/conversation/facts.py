"""Facts of messaging, made of what a test says and plain defaults for the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.conversation.model.authors import AuthorKind
from services.conversation.model.contact import Contact, new_contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.projection import open_conversation
from services.conversation.model.thread import ChannelKind, Mode, Preview, ThreadFacts

WORKSPACE = "018f0000-0000-7000-8000-000000000001"
CONVERSATION = "018f0000-0000-7000-8000-00000000c001"
CHANNEL = "018f0000-0000-7000-8000-00000000ca01"
EPOCH = "first-life"
FIRST_DAY = datetime(2026, 4, 28, 9, 0, tzinfo=UTC)

OPENED = ThreadFacts(
    conversation_id=CONVERSATION,
    channel_id=CHANNEL,
    channel_kind=ChannelKind.WEB_CHAT,
    external_id="visitor-1",
    customer_name="Ana",
    mode=Mode.MANUAL,
    mode_epoch=1,
    inbound_count=0,
    create_time=FIRST_DAY,
    thread_version=1,
    log_epoch=EPOCH,
)


def message(seq: int, inbound_count: int, *, epoch: str = EPOCH) -> ThreadFacts:
    """What MessageCreated says; inbound if it is the newest of so many inbound ones."""
    return replace(
        OPENED,
        inbound_count=inbound_count,
        thread_version=seq + 1,
        log_epoch=epoch,
        preview=Preview(
            seq, AuthorKind.CUSTOMER, f"message {seq}", FIRST_DAY + timedelta(minutes=seq)
        ),
    )


def switched(mode: Mode, mode_epoch: int) -> ThreadFacts:
    """What ModeChanged says."""
    return replace(OPENED, mode=mode, mode_epoch=mode_epoch)


def a_contact() -> Contact:
    return new_contact(WORKSPACE, OPENED)


def a_conversation(**fields: Any) -> Conversation:
    return replace(open_conversation(a_contact(), OPENED), **fields)
