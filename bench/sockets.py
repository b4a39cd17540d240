"""A WebSocket client that costs little, so that what is measured is the server.

Frames are found by their lengths and searched for a marker; protobuf is decoded only where the
content matters. Client frames are masked with the zero key, which leaves the payload as it is.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from inbox.realtime import v1 as realtime_v1

MARKER = b"@@"
"""A message's text is `@@<perf_counter>|…`: its age is known wherever it is seen."""
HANDSHAKE_WITHIN_SECONDS = 30.0


class BenchSocket(asyncio.Protocol):
    """One browser."""

    def __init__(self, url: str, ticket: str, position: str = "") -> None:
        self.url = url
        self.ticket = ticket
        self.position = position
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.deliveries = 0
        self.ages: list[float] | None = None
        self.on_ack: Callable[[bytes], None] | None = None
        self.last_frame = b""
        self.closed = False
        self._buffer = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        key = base64.b64encode(os.urandom(16)).decode()
        host = urlsplit(self.url).netloc
        self.transport.write(
            (
                f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: {self.url}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: inbox.v1.proto\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if b" 101 " not in head:
                self._fail(ConnectionError(head[:200].decode(errors="replace")))
                return
            self._upgraded = True
            self.send(
                realtime_v1.ClientFrame(
                    hello=realtime_v1.ClientHello(ticket=self.ticket, position=self.position)
                ).SerializeToString()
            )
        self._buffer = self._take_frames(buffer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._fail(exc or ConnectionError("closed"))

    def send(self, payload: bytes) -> None:
        """One binary frame."""
        self.transport.write(client_frame(payload))

    def _take_frames(self, buffer: bytes) -> bytes:
        position, end = 0, len(buffer)
        while end - position >= 2:
            length = buffer[position + 1]
            start = position + 2
            if length == 126:
                if end - start < 2:
                    break
                (length,) = struct.unpack_from("!H", buffer, start)
                start += 2
            elif length == 127:
                if end - start < 8:
                    break
                (length,) = struct.unpack_from("!Q", buffer, start)
                start += 8
            if end - start < length:
                break
            opcode = buffer[position] & 0x0F
            if opcode == 2:
                self._take(buffer[start : start + length])
            elif opcode == 9:
                self.transport.write(b"\x8a\x80\0\0\0\0")
            position = start + length
        return buffer[position:]

    def _take(self, payload: bytes) -> None:
        if not self.ready.done():
            frame = realtime_v1.ServerFrame.FromString(payload)
            if frame.HasField("hello"):
                self.ready.set_result(None)
            return
        if payload[:1] == b"\x42":  # field 8: an ack
            if self.on_ack is not None:
                self.on_ack(payload)
            return
        at = payload.find(MARKER)
        if at < 0:
            return
        self.deliveries += 1
        self.last_frame = payload
        if self.ages is not None:
            sent = float(payload[at + 2 : payload.index(b"|", at)])
            self.ages.append(time.perf_counter() - sent)

    def _fail(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)


def client_frame(payload: bytes) -> bytes:
    """A masked binary frame with the zero key."""
    length = len(payload)
    if length < 126:
        return bytes((0x82, 0x80 | length)) + b"\0\0\0\0" + payload
    if length < 1 << 16:
        return b"\x82\xfe" + struct.pack("!H", length) + b"\0\0\0\0" + payload
    return b"\x82\xff" + struct.pack("!Q", length) + b"\0\0\0\0" + payload


async def open_socket(url: str, ticket: str, position: str = "") -> BenchSocket:
    """Connect, say hello, wait for the answer."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: BenchSocket(url, ticket, position), parts.hostname or "localhost", parts.port or 80
    )
    async with asyncio.timeout(HANDSHAKE_WITHIN_SECONDS):
        await socket.ready
    return socket
