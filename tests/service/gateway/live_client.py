"""A browser's side of the live socket: hello, chain check, resume, and the state it builds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from google.protobuf import json_format

from inbox.realtime import v1 as realtime_v1
from tests.live_client import cut

if TYPE_CHECKING:
    from tests.service.gateway.suite_double import Services

PROTO, JSON = "inbox.v1.proto", "inbox.v1.json"
WITHIN_SECONDS = 30.0
"""Thousands of frames, on a machine that does much else."""


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class ChainBroken(AssertionError):
    """A frame does not follow the one before."""


@dataclass
class LiveClient:
    """One tab."""

    services: Services
    port: int
    http: aiohttp.ClientSession
    subprotocol: str = PROTO
    member_id: str = "m1"
    position: str = ""
    seen: dict[str, int] = field(default_factory=dict)
    """Message id → how often it was told; more than once is a repeat."""
    versions: dict[str, int] = field(default_factory=dict)
    snapshots: int = 0
    """How often the server said that a snapshot is needed."""
    socket: aiohttp.ClientWebSocketResponse | None = None

    async def connect(self, **hello: Any) -> realtime_v1.Hello:
        """Open, send the hello, wait for the server's."""
        await self.open()
        ticket = self.services.identity.issue_ticket(self.member_id)
        given = {"ticket": ticket, "position": self.position, **hello}
        await self.send(hello=realtime_v1.ClientHello(**given))
        frame = await self.frame()
        assert frame.WhichOneof("body") == "hello", frame
        return frame.hello

    async def open(self, **headers: str) -> aiohttp.ClientWebSocketResponse:
        self.socket = await self.http.ws_connect(
            f"http://127.0.0.1:{self.port}/ws",
            protocols=(self.subprotocol,),
            headers=headers,
            max_msg_size=0,
        )
        return self.socket

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.close()
            self.socket = None

    def cut(self) -> None:
        """The network goes away: no close frame, no goodbye."""
        assert self.socket is not None
        cut(self.socket)
        self.socket = None

    async def send(self, ref: int = 0, **body: Any) -> None:
        assert self.socket is not None
        frame = realtime_v1.ClientFrame(ref=ref, **body)
        if self.subprotocol == PROTO:
            await self.socket.send_bytes(frame.SerializeToString())
        else:
            await self.socket.send_str(json_format.MessageToJson(frame))

    async def frame(self, within: float = WITHIN_SECONDS) -> realtime_v1.ServerFrame:
        """The next frame, taken into the state. Raises: Closed, TimeoutError."""
        assert self.socket is not None
        async with asyncio.timeout(within):
            message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            assert self.subprotocol == PROTO
            frame = realtime_v1.ServerFrame.FromString(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            assert self.subprotocol == JSON
            frame = json_format.Parse(message.data, realtime_v1.ServerFrame())
        else:
            raise Closed(self.socket.close_code, str(message.extra or ""))
        self._take(frame)
        return frame

    async def until(self, kind: str, within: float = WITHIN_SECONDS) -> realtime_v1.ServerFrame:
        """Frames up to the first of a kind."""
        async with asyncio.timeout(within):
            while True:
                frame = await self.frame()
                if frame.WhichOneof("body") == kind:
                    return frame

    async def durable_frames(self, count: int) -> list[realtime_v1.ServerFrame]:
        """The next frames of the chain; presence comes when it likes."""
        frames: list[realtime_v1.ServerFrame] = []
        while len(frames) < count:
            frame = await self.frame()
            if frame.position:
                frames.append(frame)
        return frames

    async def until_seen(self, message_id: str, within: float = WITHIN_SECONDS) -> None:
        async with asyncio.timeout(within):
            while message_id not in self.seen:
                await self.frame()

    async def closing(self, within: float = WITHIN_SECONDS) -> Closed:
        """Read until the server closes."""
        try:
            async with asyncio.timeout(within):
                while True:
                    await self.frame()
        except Closed as closed:
            return closed

    def _take(self, frame: realtime_v1.ServerFrame) -> None:
        kind = frame.WhichOneof("body")
        if kind == "hello":
            if not frame.hello.is_resumed:
                self.position = frame.position
                self.snapshots += 1
                self._load_snapshot()
            return
        if kind == "resync_required":
            self.position = frame.position
            self._load_snapshot()
            return
        if not frame.position or frame.position == self.position:
            return
        if frame.previous != self.position:
            raise ChainBroken(f"{frame.previous} does not follow {self.position}")
        self.position = frame.position
        if kind == "message_created":
            message = frame.message_created.message
            self.seen[message.id] = self.seen.get(message.id, 0) + 1
            self.versions[message.id] = max(self.versions.get(message.id, 0), message.version)
        elif kind == "conversation_read":
            conversation = frame.conversation_read.conversation
            known = self.versions.get(conversation.id, 0)
            self.versions[conversation.id] = max(known, conversation.version)

    def _load_snapshot(self) -> None:
        for entity, version in snapshot(self.services).items():
            self.versions[entity] = max(self.versions.get(entity, 0), version)


def snapshot(services: Services) -> dict[str, int]:
    """Every entity's version now, as a fresh page would load it."""
    versions: dict[str, int] = {}
    for frames in services.log.frames.values():
        for frame in frames:
            if frame.HasField("message_created"):
                versions[frame.message_created.message.id] = frame.message_created.message.version
            elif frame.HasField("conversation_read"):
                read = frame.conversation_read.conversation
                versions[read.id] = max(versions.get(read.id, 0), read.version)
    return versions
