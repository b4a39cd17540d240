"""RFC 6455, both ways: what we build and what we take."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frames import (
    PING,
    FrameInvalid,
    FrameReader,
    Opcode,
    Received,
    close_code_of,
    close_frame,
    frame,
    unmask,
)

LIMIT = 64 * 1024


def client_frame(opcode: int, payload: bytes, *, final: bool = True, mask: bytes = b"") -> bytes:
    mask = mask or os.urandom(4)
    first = (0x80 if final else 0) | opcode
    size = len(payload)
    if size < 126:
        header = bytes((first, 0x80 | size))
    elif size < 65536:
        header = bytes((first, 0xFE)) + size.to_bytes(2)
    else:
        header = bytes((first, 0xFF)) + size.to_bytes(8)
    return header + mask + unmask(payload, mask)


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_server_frame_carries_its_length_in_the_shortest_form(size: int, header: bytes) -> None:
    built = frame(Opcode.BINARY, b"x" * size)

    assert built[: len(header)] == header
    assert len(built) == len(header) + size


def test_a_ping_is_two_bytes() -> None:
    assert PING == b"\x89\x00"


def test_a_close_frame_has_its_code_and_a_reason_cut_between_characters() -> None:
    assert close_frame(4408, "slow") == b"\x88\x06" + (4408).to_bytes(2) + b"slow"
    long = close_frame(4400, "ñ" * 200)
    assert len(long) <= 2 + 125
    long[4:].decode()


@pytest.mark.parametrize("code", [0, 999, 1006, 1015, 5000, 25794])
def test_a_close_code_that_nobody_may_send_counts_as_none(code: int) -> None:
    assert close_code_of(code.to_bytes(2)) == 1005


def test_a_close_code_is_read_or_absent() -> None:
    assert close_code_of((1001).to_bytes(2) + b"bye") == 1001
    assert close_code_of(b"") == 1005
    assert close_code_of(b"\x03") == 1005


@given(st.binary(max_size=2000), st.binary(min_size=4, max_size=4))
def test_masking_twice_gives_the_same(payload: bytes, mask: bytes) -> None:
    masked = unmask(payload, mask)

    assert unmask(masked, mask) == payload
    assert masked == bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 9, 10]), st.binary(max_size=120)), min_size=1, max_size=8
    ),
    st.lists(st.integers(min_value=1, max_value=40)),
)
def test_messages_come_whole_however_the_bytes_are_cut(
    messages: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(client_frame(opcode, payload) for opcode, payload in messages)
    reader, received = FrameReader(LIMIT), []

    for cut in cuts:
        received += reader.feed(stream[:cut])
        stream = stream[cut:]
    received += reader.feed(stream)

    assert received == [Received(Opcode(opcode), payload) for opcode, payload in messages]


def test_fragments_become_one_message_and_pings_come_between() -> None:
    reader = FrameReader(LIMIT)
    stream = (
        client_frame(1, b"ho", final=False)
        + client_frame(9, b"?")
        + client_frame(0, b"l", final=False)
        + client_frame(0, b"a")
    )

    assert reader.feed(stream) == [Received(Opcode.PING, b"?"), Received(Opcode.TEXT, b"hola")]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x82\x01x",  # not masked
        client_frame(3, b""),  # unknown opcode
        client_frame(11, b""),
        b"\xc2\x80mask",  # a reserved bit
        client_frame(9, b"x" * 126),  # a long control frame
        client_frame(8, b"", final=False),  # a control frame in fragments
        client_frame(0, b"x"),  # nothing to continue
        client_frame(1, b"x", final=False) + client_frame(1, b"y"),
        client_frame(2, b"x" * (LIMIT + 1)),
        client_frame(2, b"x" * LIMIT, final=False) + client_frame(0, b"x"),
        b"\x82\xff" + (2**63).to_bytes(8),  # the length alone is enough
        client_frame(1, b"", final=False) + client_frame(0, b"", final=False) * 80,
    ],
    # Masks are random, and every test process must give a case the same name.
    ids=range(12),
)
def test_what_is_no_frame_of_ours_is_refused(stream: bytes) -> None:
    with pytest.raises(FrameInvalid):
        FrameReader(LIMIT).feed(stream)


def test_the_largest_message_is_taken() -> None:
    (received,) = FrameReader(LIMIT).feed(client_frame(2, b"x" * LIMIT))

    assert len(received.payload) == LIMIT


@given(st.binary(max_size=300))
def test_random_bytes_are_frames_or_refused(noise: bytes) -> None:
    with suppress(FrameInvalid):
        FrameReader(LIMIT).feed(noise)
