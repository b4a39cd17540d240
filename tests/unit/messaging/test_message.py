"""What may be said, where it stands in its thread, and what a repeat is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from chassis.outbox import MAX_EVENT_BYTES
from services.messaging import events
from services.messaging.model.channel import CAPABILITIES, ChannelKind
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.draft import Draft, refuse_unless_repeat
from services.messaging.model.faults import ClientMessageIdReused, TextEmpty, TextTooLong
from services.messaging.model.message import (
    Author,
    AuthorKind,
    Direction,
    Message,
    MessageId,
    appended,
    refuse_unless_sayable,
    storable_text,
)
from services.messaging.model.thread import ConversationId, Thread
from tests.unit.messaging.builders import CONVERSATION, NOON, a_thread

WORKSPACE = "0190a000-0000-7000-8000-000000000009"


def add(thread: Thread, kind: AuthorKind, text: str = "hola") -> tuple[Thread, Message]:
    return appended(
        thread,
        message_id=MessageId("m"),
        client_message_id="c",
        author=Author(kind, "id", "Name"),
        text=text,
        at=NOON + timedelta(minutes=1),
    )


@given(st.lists(st.sampled_from(list(AuthorKind)), max_size=30))
def test_places_are_dense_and_inbound_ordinals_count_customers_messages(
    kinds: list[AuthorKind],
) -> None:
    thread = a_thread()
    for place, kind in enumerate(kinds, start=1):
        thread, message = add(thread, kind)
        assert message.seq == thread.last_seq == place
        assert message.inbound_ordinal == thread.inbound_count
        assert thread.inbound_count == kinds[:place].count(AuthorKind.CUSTOMER)
    assert thread.version == 1 + len(kinds)


def test_a_message_waits_for_its_platform_and_is_sent_at_once_to_a_chat_box() -> None:
    _, waiting = add(a_thread(channel_kind=ChannelKind.WHATSAPP), AuthorKind.MEMBER)
    _, sent = add(a_thread(channel_kind=ChannelKind.WEB_CHAT), AuthorKind.MEMBER)
    _, echo = add(a_thread(channel_kind=ChannelKind.WHATSAPP), AuthorKind.PHONE_APP)

    assert waiting.delivery_status is DeliveryStatus.QUEUED
    assert sent.delivery_status is DeliveryStatus.SENT
    assert echo.delivery_status is DeliveryStatus.SENT


def test_a_customers_message_has_no_delivery_status() -> None:
    _, message = add(a_thread(), AuthorKind.CUSTOMER)

    assert message.direction is Direction.INBOUND
    assert message.delivery_status is None
    assert message.attempt_count == 0


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u2003"])
def test_white_space_is_nothing_to_say(text: str) -> None:
    with pytest.raises(TextEmpty):
        refuse_unless_sayable(text, CAPABILITIES[ChannelKind.WEB_CHAT])


def test_characters_the_database_cannot_keep_are_refused() -> None:
    with pytest.raises(FieldInvalid):
        refuse_unless_sayable("a\x00b", CAPABILITIES[ChannelKind.WEB_CHAT])


def test_length_is_counted_as_the_channel_counts_it() -> None:
    refuse_unless_sayable("ñ" * 4096, CAPABILITIES[ChannelKind.WHATSAPP])
    refuse_unless_sayable("ñ" * 500, CAPABILITIES[ChannelKind.INSTAGRAM])

    with pytest.raises(TextTooLong) as in_characters:
        refuse_unless_sayable("ñ" * 4097, CAPABILITIES[ChannelKind.WHATSAPP])
    with pytest.raises(TextTooLong) as in_bytes:
        refuse_unless_sayable("ñ" * 501, CAPABILITIES[ChannelKind.INSTAGRAM])
    assert in_characters.value.metadata()["unit"] == "characters"
    assert in_bytes.value.metadata() == {"length": "1002", "max_length": "1000", "unit": "bytes"}


@given(st.text())
def test_a_platforms_text_is_made_storable_and_never_refused(text: str) -> None:
    stored = storable_text(text)

    assert "\x00" not in stored
    assert len(stored) == len(text)


def test_the_longest_text_fits_into_an_event() -> None:
    thread, message = add(a_thread(), AuthorKind.CUSTOMER, storable_text("\U0001f600" * 100_000))

    event = events.message_created(WORKSPACE, message, thread)  # type: ignore[arg-type]

    assert len(event.payload) < MAX_EVENT_BYTES


def draft(text: str = "hola", kind: AuthorKind = AuthorKind.MEMBER, **fields: object) -> Draft:
    return Draft(CONVERSATION, "c", Author(kind, "another id"), text, **fields)  # type: ignore[arg-type]


def test_the_same_words_by_the_same_kind_of_author_are_a_repeat() -> None:
    _, stored = add(a_thread(), AuthorKind.MEMBER)

    refuse_unless_repeat(stored, draft())


def test_other_words_another_author_or_another_conversation_are_not() -> None:
    _, stored = add(a_thread(), AuthorKind.MEMBER)
    elsewhere = Draft(ConversationId("x"), "c", Author(AuthorKind.MEMBER), "hola")

    for other in (draft("adiós"), draft(kind=AuthorKind.AI), elsewhere):
        with pytest.raises(ClientMessageIdReused):
            refuse_unless_repeat(stored, other)


def test_a_platforms_id_alone_says_what_is_a_repeat() -> None:
    _, stored = add(a_thread(), AuthorKind.CUSTOMER)

    refuse_unless_repeat(stored, draft("edited", AuthorKind.CUSTOMER, is_platform_id=True))
