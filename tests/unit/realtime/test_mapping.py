"""Positions and frames: composed by hand, they are what protobuf would have written."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from services.realtime import mapping
from services.realtime.consumers import CONSUMES
from services.realtime.mapping import Positions
from services.realtime.model import STREAMS
from tests.malice import input_count, tries_many

LIFE = ("a-life", "c-life", "i-life", "m-life")
VECTORS = st.tuples(*[st.integers(0, 2**62 - 1)] * len(LIFE))


@given(VECTORS)
def test_a_position_is_what_protobuf_would_have_written(vector: tuple[int, ...]) -> None:
    position = realtime_v1.Position(
        streams=[
            realtime_v1.StreamPosition(stream=stream, log_epoch=epoch, gpos=gpos)
            for stream, epoch, gpos in zip(STREAMS, LIFE, vector, strict=True)
        ]
    )
    spelt = base64.urlsafe_b64encode(position.SerializeToString()).decode().rstrip("=")

    positions = Positions(LIFE)

    assert positions.write(vector) == spelt
    assert positions.read(spelt) == vector


@tries_many
@settings(max_examples=input_count(100), deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_no_text_breaks_the_reading_of_positions(text: str) -> None:
    assert Positions(LIFE).read(text) is None


def test_a_position_of_another_life_or_with_other_streams_is_not_ours() -> None:
    written = Positions(LIFE).write((1, 2, 3, 4))

    assert Positions((*LIFE[:-1], "another")).read(written) is None
    assert Positions(LIFE).read("") is None


@given(st.lists(st.tuples(st.integers(1, 2**62), st.lists(st.binary(max_size=300), min_size=1))))
def test_what_gathered_for_a_gateway_is_what_protobuf_would_have_written(
    gathered: list[tuple[int, list[bytes]]],
) -> None:
    shares = [
        (ref, realtime_v1.WatchBytes(frames=frames).SerializeToString()) for ref, frames in gathered
    ]

    read = [realtime_v1.WatchWorkspacesResponse.FromString(m) for m in mapping.bundled(shares)]

    brought = [(one.ref, list(one.frames)) for answer in read for one in answer.workspaces]
    assert brought == gathered


@given(st.text(max_size=50), st.text(max_size=50), st.binary(max_size=300))
def test_a_chunk_is_a_watch_response_with_that_frame(
    position: str, previous: str, payload: bytes
) -> None:
    position, previous = (text.encode("ascii", "ignore").decode() for text in (position, previous))
    message = messaging_v1.Message(id=payload.hex())
    event = messaging_v1.DeliveryStatusChanged(message=message)
    subject = "inbox.messaging.v1.delivery_status_changed.w"

    body = mapping.event_body(subject, event.SerializeToString())
    assert body is not None
    frames = realtime_v1.WatchResponse.FromString(
        mapping.chunk_of(position, previous, body) * 2
    ).frames

    assert len(frames) == 2
    assert (frames[0].position, frames[0].previous) == (position, previous)
    assert frames[0].delivery_status_changed == event


@pytest.mark.parametrize("subject", ["inbox.media.v1.file_stored.w", "inbox.x.v1.y.w"])
def test_an_event_without_a_field_in_frames_is_not_told(subject: str) -> None:
    assert mapping.event_body(subject, b"") is None


def test_the_table_of_consumed_events_is_what_frames_can_hold() -> None:
    assert {(domain, event) for event, domain in CONSUMES.items()} == set(mapping.EVENT_TAGS)
