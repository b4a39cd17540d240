"""The hub's memory and the arithmetic of positions."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import positions, wire
from gateway.encodings import Encoding
from gateway.ring import Event, Ring
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

M, C = ("INBOX_MESSAGING", "e1"), ("INBOX_CONVERSATION", "e1")


def place(messaging: int, conversation: int) -> str:
    return positions.write({M: messaging, C: conversation})


def event(stream: positions.Stream, name: str, position: str, previous: str) -> Event:
    body: dict[str, Any]
    if stream == M:
        message = messaging_v1.Message(id=name)
        body = {"message_created": messaging_v1.MessageCreated(message=message)}
    else:
        conversation = conversation_v1.Conversation(id=name)
        body = {"conversation_read": conversation_v1.ConversationRead(conversation=conversation)}
    frame = realtime_v1.ServerFrame(position=position, previous=previous, **body)
    return Event(frame.SerializeToString())


def chain(order: str, start: str = "") -> tuple[Ring, list[Event]]:
    """A ring that read messaging (m) and conversation (c) events in this order; x is noise.

    Noise is another workspace's event of both streams: the position moves, nothing is told.
    """
    ring, events = Ring(), []
    at = {"m": 0, "c": 0}
    previous = start or place(0, 0)
    for letter in order:
        if letter == "x":
            at = {"m": at["m"] + 1, "c": at["c"] + 1}
            continue
        at[letter] += 1
        position = place(at["m"], at["c"])
        name = f"{letter}{at[letter]}"
        made = event(M if letter == "m" else C, name, position, previous)
        ring.append(made)
        events.append(made)
        previous = position
    return ring, events


def name_of(made: Event) -> str:
    frame = realtime_v1.ServerFrame.FromString(made.raw)
    if frame.HasField("message_created"):
        return frame.message_created.message.id
    if frame.HasField("conversation_read"):
        return frame.conversation_read.conversation.id
    return "idle"


def assert_chained(following: list[Event], position: str, end: str) -> None:
    for made in following:
        assert made.previous == position
        position = made.position
    assert position == end


def test_a_position_survives_writing_and_reading() -> None:
    vector = {M: 7, C: 2**40}

    assert positions.read(positions.write(vector)) == vector
    assert positions.write({C: 2**40, M: 7}) == positions.write(vector)


@pytest.mark.parametrize("text", ["", "x", "!!!!", "x" * 5000, "ñ", "_-_-", "A"])
def test_what_is_no_position_is_none_or_empty(text: str) -> None:
    assert not positions.read(text)


def test_covering_needs_the_same_streams_of_the_same_life() -> None:
    assert positions.covers({M: 3, C: 3}, {M: 3, C: 2})
    assert not positions.covers({M: 3, C: 3}, {M: 4, C: 2})
    assert not positions.covers({M: 3, C: 3}, {M: 3})
    assert not positions.covers({M: 3}, {("INBOX_MESSAGING", "e2"): 1})


def test_a_client_of_this_chain_gets_what_follows() -> None:
    ring, events = chain("mcmm")

    assert ring.after(events[1].position) == events[2:]
    assert ring.after(events[0].previous) == events
    assert ring.after(events[-1].position) == []


def test_a_client_before_the_memory_or_of_another_life_is_not_served() -> None:
    ring, events = chain("mm", start=place(0, 0))
    small = Ring(max_events=1)
    for made in events:
        small.append(made)

    assert small.after(place(0, 0)) is None
    assert ring.after(positions.write({("INBOX_MESSAGING", "e2"): 1, C: 0})) is None
    assert ring.after("nonsense") is None
    assert ring.after(place(9, 0)) is None
    assert Ring().after(place(0, 0)) is None


def test_a_client_of_another_gateways_chain_gets_only_what_it_lacks() -> None:
    ring, events = chain("mmcc")

    following = ring.after(place(1, 1))

    assert following is not None
    assert [name_of(made) for made in following] == ["m2", "c2"]
    assert_chained(following, place(1, 1), events[-1].position)


@given(st.text(alphabet="mcx", min_size=1, max_size=30), st.integers(0, 2**32))
def test_whoever_comes_from_anywhere_ends_where_the_hub_is(order: str, seed: int) -> None:
    """Two gateways read the same streams, each in its own order; a client changes between them."""
    dice = random.Random(seed)
    ring, events = chain(order + "m")
    letters = [letter for letter in order + "m" if letter != "x"]
    newest = events[-1].vector
    here = {M: dice.randint(0, newest[M]), C: dice.randint(0, newest[C])}

    following = ring.after(positions.write(here))

    assert following is not None
    assert_chained(following, positions.write(here), events[-1].position)
    told = [name_of(made) for made in following if name_of(made) != "idle"]
    lacking = [
        name_of(made) for made in events if made.vector[made.source or M] > here[made.source or M]
    ]
    assert told == lacking
    assert len(letters) == len(events)


def test_the_memory_is_bounded_by_bytes_too() -> None:
    _, events = chain("m" * 50)
    ring = Ring(max_bytes=len(events[0].raw) * 10)

    for made in events:
        ring.append(made)

    assert len(ring) <= 10
    ring.clear()
    assert len(ring) == 0


def test_an_event_is_encoded_once_per_subprotocol() -> None:
    _, (made,) = chain("m")

    assert made.encoded(Encoding.JSON) is made.encoded(Encoding.JSON)
    assert made.encoded(Encoding.PROTO) is made.encoded(Encoding.PROTO)
    assert made.raw in made.encoded(Encoding.PROTO)


@given(st.binary(max_size=200))
def test_the_head_of_any_bytes_is_read_or_refused(noise: bytes) -> None:
    with suppress(wire.WireInvalid):
        wire.head_of(noise)


def test_a_field_is_found_without_decoding() -> None:
    message = messaging_v1.Message(id="m", conversation_id="c", seq=300, version=2**40)
    created = messaging_v1.MessageCreated(message=message)
    frame = realtime_v1.ServerFrame(position="p", previous="q", message_created=created)
    raw = frame.SerializeToString()

    assert wire.find(raw, wire.MESSAGE_CREATED, 1, 2) == b"c"
    assert wire.find(raw, wire.MESSAGE_CREATED, 2) is None
    head = wire.head_of(raw)
    assert (head.position, head.previous, head.kind) == ("p", "q", wire.MESSAGE_CREATED)
    assert wire.head_of(b"") == wire.Head("", "", 0)
