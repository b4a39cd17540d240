"""Bringing one socket to where its hub stands, and letting it join there.

Most come from the hub's own memory. One that was away for longer is served by a private Watch
that ends exactly where the hub stood when it began; by then the hub has moved a little, and its
memory closes the gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import grpc

from chassis import metrics
from chassis.logs import log
from gateway import positions, wire
from gateway.close_codes import CloseCode
from gateway.hub import ChainBroken
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.hub import Hub
    from gateway.session import Session

MAX_PRIVATE_WATCHES = 64
MAX_FRAMES = 20_000
"""Further behind, a fresh snapshot is quicker for everybody."""
MAX_ROUNDS = 8
ANSWER_WITHIN_SECONDS = 10.0
HUB_REACHES_WITHIN_SECONDS = 5.0
PAUSE_SECONDS = 0.2

Batches = AsyncIterator[list[bytes]]
Watch = Callable[[str, str, str], AbstractAsyncContextManager[Batches]]
"""Workspace, position, until which position → realtime's batches of serialised frames."""


class CannotResume(Exception):
    """The client has to load a snapshot."""


class CatchUp:
    """Shared by all sockets of the process: it bounds how many private streams there are."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._turn = asyncio.Semaphore(MAX_PRIVATE_WATCHES)

    async def attach(self, connection: Connection[Session], hub: Hub, position: str) -> None:
        """Greet the socket, give it what it missed, and let it join."""
        while not hub.is_live:
            # The session gives up by itself after a while.
            if not connection.is_open:
                return
            await hub.wait_for_news(PAUSE_SECONDS)
        if not position:
            connection.perform(connection.session.joined(hub.position, is_resumed=False))
            hub.join(connection)
            metrics.GATEWAY_JOINS.labels("fresh").inc()
            return
        if self._from_memory(connection, hub, position, is_greeted=False):
            metrics.GATEWAY_JOINS.labels("memory").inc()
            return
        greeting = _Greeting(connection, position)
        try:
            async with self._turn:
                await self._from_realtime(connection, hub, greeting)
            metrics.GATEWAY_JOINS.labels("realtime").inc()
        except CannotResume:
            _start_over(connection, hub, greeting)
            metrics.GATEWAY_JOINS.labels("resync").inc()
        except (grpc.aio.AioRpcError, TimeoutError, ChainBroken, wire.WireInvalid) as error:
            log.warning("catch_up_broken", error=type(error).__name__)
            connection.close(CloseCode.RESTART, "the live stream is away; come back")

    def _from_memory(
        self, connection: Connection[Session], hub: Hub, position: str, *, is_greeted: bool
    ) -> bool:
        """In one go, without waiting, so that nothing comes between the memory and the join."""
        following = hub.following(position)
        if following is None:
            return False
        if not is_greeted:
            connection.perform(connection.session.joined(position, is_resumed=True))
        if following:
            chunk = b"".join([event.encoded(connection.encoding) for event in following])
            connection.offer(chunk)
        hub.join(connection)
        return True

    async def _from_realtime(
        self, connection: Connection[Session], hub: Hub, greeting: _Greeting
    ) -> None:
        await _hub_reaches(hub, greeting.position)
        for _ in range(MAX_ROUNDS):
            await self._stream(connection, hub, greeting)
            if not connection.is_open:
                return
            at, is_greeted = greeting.position, greeting.is_said
            if self._from_memory(connection, hub, at, is_greeted=is_greeted):
                return
        raise CannotResume

    async def _stream(self, connection: Connection[Session], hub: Hub, greeting: _Greeting) -> None:
        """One private Watch up to where the hub stands now."""
        async with self._watch(hub.workspace_id, greeting.position, hub.position) as batches:
            async for frames in _timely(batches):
                fresh = greeting.follow(frames)
                if not connection.is_open:
                    return
                encode = connection.encoding.encode_raw
                for raw in fresh:
                    connection.offer(encode(raw, realtime_v1.ServerFrame))
                    # One frame at a time: this socket alone sets the pace of its stream.
                    await connection.wait_for_room()


class _Greeting:
    """How far the socket was brought, and whether it has had its Hello."""

    def __init__(self, connection: Connection[Session], position: str) -> None:
        self.position = position
        self.is_said = False
        self._connection = connection
        self._count = 0

    def follow(self, frames: list[bytes]) -> list[bytes]:
        """The frames to pass on. Raises: CannotResume, ChainBroken, WireInvalid."""
        fresh: list[bytes] = []
        for raw in frames:
            head = wire.head_of(raw)
            if head.kind == wire.RESYNC_REQUIRED:
                raise CannotResume
            if not head.position or head.position == self.position:
                # Who is there comes from the hub, when it is joined.
                continue
            if head.previous != self.position:
                raise ChainBroken
            self.position = head.position
            fresh.append(raw)
        self._count += len(fresh)
        if self._count > MAX_FRAMES:
            raise CannotResume
        if fresh and not self.is_said:
            self.is_said = True
            session = self._connection.session
            start = wire.head_of(fresh[0]).previous
            self._connection.perform(session.joined(start, is_resumed=True))
        return fresh


async def _hub_reaches(hub: Hub, position: str) -> None:
    """Wait until the hub has read all the client has. Raises: CannotResume.

    A client that comes from another gateway may be a moment ahead.
    """
    wanted = positions.read(position)
    deadline = asyncio.get_running_loop().time() + HUB_REACHES_WITHIN_SECONDS
    while True:
        present = positions.read(hub.position)
        if wanted is None or present is None or wanted.keys() != present.keys():
            raise CannotResume
        if positions.covers(present, wanted):
            return
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise CannotResume
        await hub.wait_for_news(left)


async def _timely(batches: Batches) -> Batches:
    """The same batches. Raises: TimeoutError, when none comes for long."""
    while True:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                frames = await anext(batches)
        except StopAsyncIteration:
            return
        yield frames


def _start_over(connection: Connection[Session], hub: Hub, greeting: _Greeting) -> None:
    if greeting.is_said:
        resync = realtime_v1.ResyncRequired()
        connection.emit(realtime_v1.ServerFrame(position=hub.position, resync_required=resync))
    else:
        connection.perform(connection.session.joined(hub.position, is_resumed=False))
    hub.join(connection)
