"""nats-server's own WebSocket, without JetStream: one event to many subscribers."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from bench.broadcast import Broadcast
from bench.program import running
from bench.sockets import MARK, STAMP_DIGITS, Socket, Tally, connect_groups, hang_up, stamped
from suite.infra.ports import LOOPBACK, free_port
from suite.infra.resolve import resolve_nats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "nats-server WebSocket"
HELLO = b'CONNECT {"verbose":false,"pedantic":false}\r\n'


class Subscriber(Socket):
    """One browser that speaks NATS."""

    def __init__(self, url: str, tally: Tally, group: int) -> None:
        super().__init__(url, tally)
        self._group = group

    def upgraded(self) -> None:
        self.send(HELLO + f"SUB group.{self._group} 1\r\nPING\r\n".encode())

    def take(self, data: bytes, start: int, end: int) -> None:
        """A frame is a piece of NATS's stream and holds any number of messages."""
        at = data.find(MARK, start, end)
        while at >= 0:
            if self.tally.add(data[at + 2 : at + 2 + STAMP_DIGITS]):
                self.deliveries += 1
            at = data.find(MARK, at + STAMP_DIGITS, end)
        if not self.is_settled.is_set() and data.find(b"PONG", start, end) >= 0:
            self.is_settled.set()


class Publisher(asyncio.Protocol):
    """A plain NATS connection."""

    transport: asyncio.Transport

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(HELLO)

    def data_received(self, data: bytes) -> None:
        if b"PING\r\n" in data:
            self.transport.write(b"PONG\r\n")

    def publish(self, group: int) -> None:
        """One stamped event."""
        text = stamped(self._size_bytes).encode()
        self.transport.write(b"PUB group.%d %d\r\n%b\r\n" % (group, len(text), text))


@dataclass(frozen=True)
class Server:
    """A running nats-server."""

    pid: int
    port: int
    url: str
    """Of its WebSocket."""


@asynccontextmanager
async def nats_server() -> AsyncIterator[Server]:
    """One with a WebSocket, for the length of a block."""
    port, web_port = free_port(), free_port()
    configuration = {
        "listen": f"{LOOPBACK}:{port}",
        "websocket": {"listen": f"{LOOPBACK}:{web_port}", "no_tls": True, "compression": False},
    }
    with TemporaryDirectory(prefix="inbox-nats-") as name:
        file = Path(name) / "nats.conf"
        file.write_text(json.dumps(configuration))
        command = [str(resolve_nats().path), "-c", str(file)]
        async with running("nats-server", command, Path(name), web_port) as pid:
            yield Server(pid, port, f"http://{LOOPBACK}:{web_port}")


@asynccontextmanager
async def nats_sockets(*, groups: int, sockets: int, size_bytes: int) -> AsyncIterator[Broadcast]:
    """So many groups of so many subscribers; events of this size."""
    tally = Tally()
    async with nats_server() as server:
        members = await connect_groups(
            lambda group: Subscriber(server.url, tally, group), groups, sockets
        )
        _, publisher = await asyncio.get_running_loop().create_connection(
            lambda: Publisher(size_bytes), LOOPBACK, server.port
        )
        try:
            yield Broadcast(NAME, server.pid, publisher.publish, members, tally)
        finally:
            publisher.transport.abort()
            hang_up(members)


async def connects_per_second(count: int) -> float:
    """How many subscribers get in, when many come at once."""
    async with nats_server() as server:
        began = time.perf_counter()
        members = await connect_groups(
            lambda group: Subscriber(server.url, Tally(), group), 1, count
        )
        seconds = time.perf_counter() - began
        hang_up(members)
    return count / seconds
