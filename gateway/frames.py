"""RFC 6455 frames: server frames built once as bytes, client frames read as they trickle in.

A server frame is header + payload without a mask, so the same bytes go to every socket. Client
frames are masked, may be cut into fragments, and may arrive in any pieces.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

TINY = 125
"""Longest payload whose length fits into the second byte; also a control frame's longest."""
SHORT = 0xFFFF
SHORT_MARK = 126
LONG_MARK = 127
FINAL = 0x80
RESERVED = 0x70
OPCODE = 0x0F
MASKED = 0x80
LENGTH = 0x7F
MASK_BYTES = 4
MAX_REASON_BYTES = 123
MAX_FRAGMENTS = 64
NO_STATUS = 1005
"""What a close frame without a code means; never sent."""
MAY_BE_SENT = frozenset(range(1000, 5000)) - {1004, NO_STATUS, 1006, 1015}
"""Close codes, by RFC 6455."""


class Opcode(enum.IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


CONTROL = frozenset({Opcode.CLOSE, Opcode.PING, Opcode.PONG})


class FrameInvalid(Exception):
    """The client's bytes are not frames we take; the text says why, for the close frame."""


class Received(NamedTuple):
    """A whole message of the client, or a control frame."""

    opcode: Opcode
    payload: bytes


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole server frame."""
    size = len(payload)
    first = FINAL | opcode
    if size <= TINY:
        return bytes((first, size)) + payload
    if size <= SHORT:
        return bytes((first, SHORT_MARK)) + size.to_bytes(2) + payload
    return bytes((first, LONG_MARK)) + size.to_bytes(8) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; a long reason is cut between characters."""
    text = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
    return frame(Opcode.CLOSE, code.to_bytes(2) + text)


def close_code_of(payload: bytes) -> int:
    """The code in a client's close frame; NO_STATUS where it is none that may be sent."""
    code = int.from_bytes(payload[:2])
    return code if code in MAY_BE_SENT else NO_STATUS


PING = frame(Opcode.PING, b"")


class FrameReader:
    """Turns a client's bytes into messages; holds at most one unfinished message."""

    __slots__ = ("_buffer", "_count", "_fragments", "_kind", "_max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = b""
        self._kind: Opcode | None = None
        self._fragments = b""
        self._count = 0

    def feed(self, data: bytes) -> list[Received]:
        """What became whole by these bytes. Raises: FrameInvalid."""
        buffer = self._buffer + data if self._buffer else data
        received: list[Received] = []
        start = 0
        while (found := self._next(buffer, start)) is not None:
            start, message = found
            if message is not None:
                received.append(message)
        self._buffer = bytes(buffer[start:])
        return received

    def _next(self, buffer: bytes, start: int) -> tuple[int, Received | None] | None:
        """The end of the frame at `start` and the message it completes; None until it is here."""
        available = len(buffer) - start
        if available < 2:  # noqa: PLR2004 - a header's first two bytes
            return None
        first, second = buffer[start], buffer[start + 1]
        opcode = self._check(first, second)
        size = second & LENGTH
        header = 2
        if size == SHORT_MARK:
            header, size = 4, int.from_bytes(buffer[start + 2 : start + 4])
        elif size == LONG_MARK:
            header, size = 10, int.from_bytes(buffer[start + 2 : start + 10])
        if available < header:
            return None
        if opcode not in CONTROL and size + len(self._fragments) > self._max_bytes:
            raise FrameInvalid(f"a message is larger than {self._max_bytes} bytes")
        body = start + header + MASK_BYTES
        end = body + size
        if len(buffer) < end:
            return None
        payload = unmask(buffer[body:end], buffer[body - MASK_BYTES : body])
        return end, self._take(opcode, payload, is_final=bool(first & FINAL))

    def _check(self, first: int, second: int) -> Opcode:
        if first & RESERVED:
            raise FrameInvalid("no extension was agreed on")
        try:
            opcode = Opcode(first & OPCODE)
        except ValueError:
            raise FrameInvalid("the opcode is not known") from None
        if not second & MASKED:
            raise FrameInvalid("client frames must be masked")
        if opcode in CONTROL and (not first & FINAL or second & LENGTH > TINY):
            raise FrameInvalid("a control frame must be whole and short")
        if opcode is Opcode.CONTINUATION and self._kind is None:
            raise FrameInvalid("there is nothing to continue")
        if opcode in {Opcode.TEXT, Opcode.BINARY} and self._kind is not None:
            raise FrameInvalid("the message before is not finished")
        return opcode

    def _take(self, opcode: Opcode, payload: bytes, *, is_final: bool) -> Received | None:
        if opcode in CONTROL:
            return Received(opcode, payload)
        kind = opcode if self._kind is None else self._kind
        whole = self._fragments + payload
        if not is_final:
            self._kind, self._fragments, self._count = kind, whole, self._count + 1
            if self._count > MAX_FRAGMENTS:
                raise FrameInvalid(f"a message is cut into more than {MAX_FRAGMENTS} frames")
            return None
        self._kind, self._fragments, self._count = None, b"", 0
        return Received(kind, whole)


def unmask(payload: bytes, mask: bytes) -> bytes:
    """Undo (or do) the mask, all bytes at once as one large number."""
    size = len(payload)
    pattern = (mask * (size // MASK_BYTES + 1))[:size]
    plain = int.from_bytes(payload, "little") ^ int.from_bytes(pattern, "little")
    return plain.to_bytes(size, "little")
