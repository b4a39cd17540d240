"""The WebSocket handshake: who may open one, and the moment aiohttp lets go of the transport."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
from aiohttp import web

from gateway.connection import Connection, Endpoint, SocketSession
from gateway.encodings import Encoding
from gateway.errors import EdgeError, invalid, temporarily_unavailable

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

    from gateway.health import Health
    from gateway.origins import Origins
    from gateway.sweeper import Sweeper

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"
KEY_BYTES = 16
SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel may hold for a client that does not read; by itself it would take megabytes."""

MakeSession = Callable[[Encoding, float, Callable[[float, float], float]], SocketSession]


class Upgrade:
    """Turns requests into connections."""

    def __init__(
        self, origins: Origins, sweeper: Sweeper, health: Health, max_sockets: int
    ) -> None:
        self._origins = origins
        self._sweeper = sweeper
        self._health = health
        self._max_sockets = max_sockets

    async def open(
        self, request: web.Request, make_session: MakeSession, endpoint: Endpoint
    ) -> web.StreamResponse:
        """Answer the handshake and hand the transport over. Raises: EdgeError."""
        self._origins.check_origin(request)
        accept, encoding = _check(request.headers)
        if not self._health.is_ready or len(self._sweeper) >= self._max_sockets:
            raise temporarily_unavailable("this gateway")
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._take_over(request, transport, accept, encoding, make_session, endpoint)
        return _Answered()

    def _take_over(
        self,
        request: web.Request,
        transport: asyncio.Transport,
        accept: str,
        encoding: Encoding,
        make_session: MakeSession,
        endpoint: Endpoint,
    ) -> None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        transport.write(
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n"
            f"Sec-WebSocket-Protocol: {encoding.value}\r\n\r\n".encode()
        )
        now = asyncio.get_running_loop().time()
        session = make_session(encoding, now, random.uniform)
        connection = Connection(transport, session, encoding, endpoint)
        transport.set_protocol(connection)
        self._sweeper.add(connection)
        # aiohttp's side of the connection ends here, as if the client had gone; it must not
        # close the transport, which is no longer its own.
        request.protocol.transport = None
        request.protocol.connection_lost(None)


class _Answered(web.StreamResponse):
    """Stands for the answer that was written by hand."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """There is nothing left to write."""

    async def write_eof(self, data: bytes = b"") -> None:
        """There is nothing left to write."""


def _check(headers: CIMultiDictProxy[str]) -> tuple[str, Encoding]:
    """The accept key and the chosen subprotocol. Raises: EdgeError."""
    connection = {part.strip() for part in headers.get("connection", "").lower().split(",")}
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in connection:
        raise _upgrade_required("this address speaks WebSocket only")
    if headers.get("sec-websocket-version") != VERSION:
        raise _upgrade_required(f"only version {VERSION} of WebSocket is spoken here")
    key = headers.get("sec-websocket-key", "")
    try:
        is_key = len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except binascii.Error:
        is_key = False
    if not is_key:
        raise invalid("sec-websocket-key", "must be the base64 of 16 bytes")
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    encoding = Encoding.chosen_from(offered)
    if encoding is None:
        known = " or ".join(each.value for each in Encoding)
        raise invalid("sec-websocket-protocol", f"must offer {known}")
    digest = hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode(), encoding


def _upgrade_required(message: str) -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_ARGUMENT",
        message=message,
        http_status=426,
        headers={"upgrade": "websocket", "sec-websocket-version": VERSION},
    )
