"""The load client's parsing by hand says what the contracts' own parsers say."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.anchors.nats_sockets import Subscriber
from bench.gateway_alone import POSITION_LENGTH, Feed
from bench.sockets import InboxSocket, Tally, ack_in, client_frame, refusal_in, stamped
from gateway.frames import FrameReader, Opcode, frame
from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from services.realtime.model import Bundle, Share

URL = "http://localhost:1"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def a_browser() -> InboxSocket:
    """One that was greeted."""
    client = InboxSocket(URL, Tally(), "ticket")
    client.connection_made(Wire())  # type: ignore[arg-type]
    hello = realtime_v1.ServerFrame(position="p1", hello=realtime_v1.Hello(is_resumed=True))
    client.data_received(UPGRADED + frame(Opcode.BINARY, hello.SerializeToString()))
    client.tally.begin()
    return client


def a_delivery(length: int = 140) -> bytes:
    message = messaging_v1.Message(id="m1", text=stamped(length))
    created = messaging_v1.MessageCreated(message=message)
    event = realtime_v1.ServerFrame(position="p2", previous="p1", message_created=created)
    return frame(Opcode.BINARY, event.SerializeToString())


def test_a_browser_is_ready_once_it_was_greeted() -> None:
    client = a_browser()

    assert client.is_settled.is_set()
    assert client.position == "p1"
    assert client.is_resumed
    assert client.failure is None


def test_a_refused_upgrade_is_a_failure() -> None:
    client = InboxSocket(URL, Tally(), "ticket")

    client.data_received(b"HTTP/1.1 403 Forbidden\r\n\r\nno")

    assert client.is_settled.is_set()
    assert "403" in str(client.failure)


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=8), length=st.sampled_from([20, 140, 70_000]))
def test_deliveries_are_counted_however_the_bytes_are_cut(cuts: list[int], length: int) -> None:
    client = a_browser()
    stream = a_delivery(length) + frame(Opcode.PING, b"") + a_delivery(length)

    places = [0, *sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]
    for start, end in itertools.pairwise(places):
        client.data_received(stream[start:end])

    assert client.deliveries == 2
    assert client.tally.count == 2
    assert len(client.tally.ages_millis) == 2
    assert client.transport.written[-1] == b"\x8a\x80\0\0\0\0"  # type: ignore[attr-defined]


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 1_000), max_size=8))
def test_a_burst_is_counted_however_the_bytes_are_cut(cuts: list[int]) -> None:
    client = a_browser()
    client.only_count()
    stream = a_delivery() * 3

    places = [0, *sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]
    for start, end in itertools.pairwise(places):
        client.data_received(stream[start:end])

    assert client.tally.count == 3


def test_what_was_sent_before_a_run_does_not_count_in_it() -> None:
    client = a_browser()
    late = a_delivery()
    client.tally.begin()

    client.data_received(late)

    assert client.deliveries == client.tally.count == 0


def test_a_warm_up_is_counted_but_not_timed() -> None:
    client = a_browser()
    client.tally.begin(warm_up_seconds=60)

    client.data_received(a_delivery())

    assert client.tally.count == 1
    assert client.tally.ages_millis == []


def test_the_servers_reason_for_closing_is_kept() -> None:
    client = a_browser()

    client.data_received(frame(Opcode.CLOSE, (4408).to_bytes(2) + b"too slow"))
    client.connection_lost(None)

    assert client.closed_with == "4408 too slow"


@pytest.mark.parametrize("ref", [1, 127, 128, 2**40])
@pytest.mark.parametrize("text", ["", "x" * 1_000])
def test_an_ack_is_read_by_hand_as_the_contract_says(ref: int, text: str) -> None:
    sent = messaging_v1.SendMessageResponse(message=messaging_v1.Message(text=text))
    error = error_v1.Error(reason=error_v1.REASON_RATE_LIMITED, message=text)

    stored = realtime_v1.ServerFrame(ack=realtime_v1.Ack(ref=ref, sent=sent)).SerializeToString()
    refused = realtime_v1.ServerFrame(ack=realtime_v1.Ack(ref=ref, error=error)).SerializeToString()

    assert ack_in(stored) == (ref, True)
    assert ack_in(refused) == (ref, False)
    assert refusal_in(refused) == "RATE_LIMITED"


def test_an_ack_is_no_delivery_though_it_holds_the_text() -> None:
    client = a_browser()
    told: list[tuple[int, str]] = []
    client.on_ack = lambda ref, refusal: told.append((ref, refusal))
    sent = messaging_v1.SendMessageResponse(message=messaging_v1.Message(text=stamped(140)))
    ack = realtime_v1.ServerFrame(ack=realtime_v1.Ack(ref=7, sent=sent))

    client.data_received(frame(Opcode.BINARY, ack.SerializeToString()))

    assert told == [(7, "")]
    assert client.deliveries == 0


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_gateway_reads_our_frames(size: int) -> None:
    [received] = FrameReader(max_bytes=100_000).feed(client_frame(b"x" * size))

    assert received.opcode is Opcode.BINARY
    assert received.payload == b"x" * size


def test_one_frame_of_nats_may_hold_many_messages() -> None:
    client = Subscriber(URL, Tally(), group=0)
    client.connection_made(Wire())  # type: ignore[arg-type]
    client.tally.begin()
    text = stamped(100).encode()
    messages = b"MSG group.0 1 100\r\n%b\r\n" % text * 3

    client.data_received(UPGRADED + frame(Opcode.BINARY, b"PONG\r\n" + messages))

    assert client.is_settled.is_set()
    assert client.deliveries == 3


async def test_a_frame_put_together_by_hand_is_a_chain_of_real_frames() -> None:
    feed, bundle = Feed(), Bundle()
    feed.begin(Share(bundle, 1))
    feed.publish(200)
    feed.publish(200)

    [(_, frames)] = await bundle.take()
    idle, first, second = realtime_v1.WatchResponse.FromString(frames).frames

    assert idle.HasField("idle")
    assert [first.previous, second.previous] == [idle.position, first.position]
    assert len(second.position) == POSITION_LENGTH
    assert len(second.message_created.message.text) == 200
