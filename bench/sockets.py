"""A WebSocket client that costs little, so that what is measured is the server.

Frames are found by their lengths and searched for a stamp; nothing is decoded. Client frames are
masked with the zero key, which leaves the payload as it is. A text that is measured begins with
its stamp, so its age is known wherever it is seen, whichever server brought it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import Callable, Coroutine, Iterable
from time import perf_counter_ns
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from inbox.error import v1 as error_v1
from inbox.realtime import v1 as realtime_v1

MARK = b"@@"
STAMP_DIGITS = 16
ACK_FIELD = realtime_v1.ServerFrame.DESCRIPTOR.fields_by_name["ack"].number << 3 | 2
READY_WITHIN_SECONDS = 30.0
PONG = b"\x8a\x80\0\0\0\0"


def stamped(length: int) -> str:
    """A text of this length that says when it was made; what follows the stamp is the same."""
    return f"@@{perf_counter_ns():0{STAMP_DIGITS}d}|".ljust(length, "x")


class Tally:
    """What some sockets have received, together."""

    def __init__(self) -> None:
        self.count = 0
        self.ages_millis: list[float] = []
        self._began = 0
        self._warm = 0
        self._wanted = 0
        self._is_there = asyncio.Event()

    def begin(self, warm_up_seconds: float = 0.0) -> None:
        """Count from zero; what was sent before is not counted, nor timed what is warm-up."""
        self.count = 0
        self.ages_millis = []
        self._began = perf_counter_ns()
        self._warm = self._began + int(warm_up_seconds * 1e9)

    def add(self, stamp: bytes) -> bool:
        """One delivery; False when it belongs to an earlier run."""
        made = int(stamp)
        if made < self._began:
            return False
        if made >= self._warm:
            self.ages_millis.append((perf_counter_ns() - made) / 1e6)
        self.add_untimed(1)
        return True

    def add_untimed(self, count: int) -> None:
        """So many deliveries of unknown age."""
        self.count += count
        if self.count >= self._wanted:
            self._is_there.set()

    async def wait_for(self, count: int, within_seconds: float) -> bool:
        """Until so many are there in all; False when they are not in that time."""
        self._wanted = count
        self._is_there.clear()
        if self.count < count:
            try:
                async with asyncio.timeout(within_seconds):
                    await self._is_there.wait()
            except TimeoutError:
                return False
        return True


class Socket(asyncio.Protocol):
    """One WebSocket; subclasses say what is spoken on it."""

    path = "/"
    subprotocol = ""
    transport: asyncio.Transport

    def __init__(self, url: str, tally: Tally, origin: str = "") -> None:
        """`url` is where to connect, `origin` the page that does: the same unless it is given."""
        self.url = url
        self.origin = origin or url
        self.tally = tally
        self.deliveries = 0
        self.delivery_bytes = 0
        """Of the last one."""
        self.closed_with = ""
        """Why the server ended it."""
        self.is_closed = False
        self.failure: Exception | None = None
        self.is_settled = asyncio.Event()
        """It is ready for use, or has failed to become so."""
        self._rest = b""
        self._is_upgraded = False
        self._is_counting = False

    def upgraded(self) -> None:
        """The server agreed; here the socket is ready at once."""
        self.is_settled.set()

    def take(self, data: bytes, start: int, end: int) -> None:
        """A data frame's payload lies between the two places."""
        found = data.find(MARK, start, end)
        if found >= 0 and self.tally.add(data[found + 2 : found + 2 + STAMP_DIGITS]):
            self.deliveries += 1
            self.delivery_bytes = end - start

    def send(self, payload: bytes) -> None:
        """One binary frame."""
        self.transport.write(client_frame(payload))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        host = urlsplit(self.url).netloc
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {host}",
            f"Origin: {self.origin}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        if self.subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {self.subprotocol}")
        self.transport.write("\r\n".join([*lines, "", ""]).encode())

    def only_count(self) -> None:
        """From here on count deliveries and look at nothing else, to keep up with a burst."""
        self._is_counting = True

    def data_received(self, data: bytes) -> None:
        if self._is_counting:
            # A mark may lie across two reads.
            self.tally.add_untimed((self._rest + data).count(MARK))
            self._rest = data[-1:] if data[-1:] == MARK[:1] != data[-2:-1] else b""
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, end = 0 if self._is_upgraded else self._take_handshake(data), len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : start])
            if end - start < size or start > end:
                break
            opcode = data[at] & 0x0F
            if opcode <= 2:
                self.take(data, start, start + size)
            else:
                self._control(opcode, data[start : start + size])
            at = start + size
        if at < end:
            self._rest = data[at:]

    def _take_handshake(self, data: bytes) -> int:
        """Where the frames begin; the end while the answer is not whole."""
        head, found, _ = data.partition(b"\r\n\r\n")
        if not found:
            self._rest = data
            return len(data)
        if b" 101 " in head[:20]:
            self._is_upgraded = True
            self.upgraded()
        else:
            self._fail(ConnectionError(data[:300].decode(errors="replace")))
        return len(head) + len(found)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self.closed_with = self.closed_with or str(exc or "the server hung up")
        self._fail(exc or ConnectionError(self.closed_with))

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.transport.write(PONG)
        elif opcode == 8:
            code = int.from_bytes(payload[:2])
            self.closed_with = f"{code} {payload[2:].decode(errors='replace')}".strip()

    def _fail(self, error: Exception) -> None:
        if not self.is_settled.is_set():
            self.failure = error
            self.is_settled.set()


class InboxSocket(Socket):
    """One browser of Inbox."""

    path = "/ws"
    subprotocol = "inbox.v1.proto"

    def __init__(
        self, url: str, tally: Tally, ticket: str, *, origin: str = "", position: str = ""
    ) -> None:
        """`position`: resume after it."""
        super().__init__(url, tally, origin)
        self.on_ack: Callable[[int, str], None] | None = None
        """Told the ref, and why the message was refused; nothing for one that is stored."""
        self.position = ""
        """Where it stood when it was greeted."""
        self.is_resumed = False
        self._hello = realtime_v1.ClientHello(ticket=ticket, position=position)

    def upgraded(self) -> None:
        self.send(realtime_v1.ClientFrame(hello=self._hello).SerializeToString())

    def take(self, data: bytes, start: int, end: int) -> None:
        if data[start] == ACK_FIELD:
            frame = data[start:end]
            ref, is_stored = ack_in(frame)
            if self.on_ack is not None:
                self.on_ack(ref, "" if is_stored else refusal_in(frame))
        elif self.is_settled.is_set():
            super().take(data, start, end)
        else:
            answer = realtime_v1.ServerFrame.FromString(data[start:end])
            if answer.HasField("hello"):
                self.position, self.is_resumed = answer.position, answer.hello.is_resumed
                self.is_settled.set()


def ack_in(frame: bytes) -> tuple[int, bool]:
    """Ref and success of a ServerFrame that holds nothing but an Ack: read by hand, for speed."""
    at = 1
    while frame[at] & 0x80:  # the length of the Ack
        at += 1
    at += 2  # and the key of its first field, the ref
    ref, shift = 0, 0
    while True:
        byte = frame[at]
        ref |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return ref, frame[at] == realtime_v1.Ack.SENT_FIELD_NUMBER << 3 | 2


def refusal_in(frame: bytes) -> str:
    """The reason in an Ack that is no success."""
    return reason_of(realtime_v1.ServerFrame.FromString(frame).ack.error)


def reason_of(error: error_v1.Error) -> str:
    """An error's reason as people write it."""
    return str(error_v1.Reason.Name(error.reason)).removeprefix("REASON_")


def client_frame(payload: bytes) -> bytes:
    """A masked binary frame with the zero key."""
    size = len(payload)
    if size < 126:
        return bytes((0x82, 0x80 | size)) + b"\0\0\0\0" + payload
    if size < 1 << 16:
        return b"\x82\xfe" + size.to_bytes(2) + b"\0\0\0\0" + payload
    return b"\x82\xff" + size.to_bytes(8) + b"\0\0\0\0" + payload


T = TypeVar("T")
SocketT = TypeVar("SocketT", bound=Socket)
Groups = list[list[SocketT]]


async def connect(client: SocketT, *, receive_buffer_bytes: int = 0) -> SocketT:
    """Open it and wait until it is ready. Raises: ConnectionError, TimeoutError."""
    parts = urlsplit(client.url)
    loop = asyncio.get_running_loop()
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer_bytes:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    raw.setblocking(False)
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        await loop.sock_connect(raw, ("127.0.0.1", parts.port))
        await loop.create_connection(lambda: client, sock=raw)
        await client.is_settled.wait()
    if client.failure is not None:
        raise client.failure
    return client


async def some_at_a_time(jobs: Iterable[Coroutine[None, None, T]], at_once: int = 32) -> list[T]:
    """The results of many jobs that would be too much all at once."""
    turn = asyncio.Semaphore(at_once)

    async def one(job: Coroutine[None, None, T]) -> T:
        async with turn:
            return await job

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(job)) for job in jobs]
    return [task.result() for task in tasks]


async def connect_groups(make: Callable[[int], SocketT], groups: int, size: int) -> Groups[SocketT]:
    """So many groups of so many sockets."""
    return [
        await some_at_a_time(connect(make(group)) for _ in range(size)) for group in range(groups)
    ]


def hang_up(groups: Groups[Any]) -> None:
    """End all of them without a word."""
    for group in groups:
        for client in group:
            client.transport.abort()
