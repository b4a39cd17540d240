"""An HTTP client that costs little: a few connections that stay open, one request at a time each.

It knows the answers of the gateway and Envoy (a length, or chunks) and nothing more.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER_WITHIN_SECONDS = 30.0


class NotOk(Exception):
    """The answer was no 200."""


class PlainHttp:
    """Some connections to one server; who asks while all are busy waits for the next."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or 80
        self._idle: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()

    async def open(self, count: int) -> None:
        """So many more. Raises: OSError."""
        for _ in range(count):
            self._idle.put_nowait(await self._connect())

    def request(self, path: str, body: bytes = b"", **headers: str) -> bytes:
        """A POST as bytes, to be sent any number of times; `_` in a header's name is `-`."""
        given = {"host": f"{self._host}:{self._port}", "content-length": str(len(body)), **headers}
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items()]
        return f"POST {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body

    async def ask(self, request: bytes) -> bytes:
        """Send a request; the answer's body. Raises: NotOk, OSError, TimeoutError."""
        connection = await self._idle.get()
        try:
            if connection.transport.is_closing():
                connection = await self._connect()
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                return await connection.ask(request)
        finally:
            self._idle.put_nowait(connection)

    def close(self) -> None:
        """Hang up."""
        while not self._idle.empty():
            self._idle.get_nowait().transport.abort()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        body = whole_body(head, rest) if found else None
        if body is None:
            return
        self._buffer = b""
        if head[9:12] == b"200":
            self._settle(body)
        else:
            self._settle(NotOk((head[:40] + b" " + body[:300]).decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(exc or ConnectionError("the server hung up"))

    def _settle(self, outcome: bytes | Exception) -> None:
        if self._answer is None or self._answer.done():
            return
        if isinstance(outcome, bytes):
            self._answer.set_result(outcome)
        else:
            self._answer.set_exception(outcome)


def whole_body(head: bytes, rest: bytes) -> bytes | None:
    """An answer's body, once all of it is here."""
    _, has_length, text = head.lower().partition(b"\r\ncontent-length:")
    if has_length:
        size = int(text.split(b"\r\n", 1)[0])
        return rest if len(rest) >= size else None
    if not rest.endswith(b"0\r\n\r\n"):
        return None
    body, at = b"", 0
    while True:
        line = rest.index(b"\r\n", at)
        size = int(rest[at:line], 16)
        if size == 0:
            return body
        body += rest[line + 2 : line + 2 + size]
        at = line + 2 + size + 2


@asynccontextmanager
async def plain_http(url: str, connections: int) -> AsyncIterator[PlainHttp]:
    """A client for the length of a block."""
    http = PlainHttp(url)
    try:
        await http.open(connections)
        yield http
    finally:
        http.close()
