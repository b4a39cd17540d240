"""One SendMessages stream to one messaging replica, opened again whenever it ends."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc

from chassis import metrics
from chassis.logs import log
from chassis.tasks import pause_after
from inbox.messaging import v1 as messaging_v1

if TYPE_CHECKING:
    from gateway.upstream import Upstream

MAX_BATCH = 256
LINGER_SECONDS = 0.002
STUCK_AFTER_SECONDS = 4.0
"""A stream that owes answers and gives none for so long is half dead: another is opened."""
CONNECT_WITHIN_SECONDS = 5.0
FIRST_PAUSE = timedelta(milliseconds=20)
LONGEST_PAUSE = timedelta(seconds=1)


@dataclass(slots=True, eq=False)
class Pending:
    """One message on its way."""

    item: messaging_v1.SendMessagesItem
    settle: Callable[[messaging_v1.SendMessagesResult], None]
    expires_at: float


class StreamOver(Exception):
    """The stream ended, or has to."""


class Lane:
    """The stream, what waits to be written to it, and what it has not answered."""

    def __init__(self, upstream: Upstream, address: str, route: Callable[[Pending], None]) -> None:
        """`route` is given what this lane cannot get rid of."""
        self.seed = zlib.crc32(address.encode())
        self.is_up = True
        self._upstream = upstream
        self._address = address
        self._route = route
        self._waiting: deque[Pending] = deque()
        self._unanswered: dict[int, Pending] = {}
        self._wake = asyncio.Event()
        self._answered_at = 0.0

    def put(self, pending: Pending) -> None:
        """Write it as soon as possible."""
        self._waiting.append(pending)
        self._wake.set()

    def take_expired(self, now: float) -> list[Pending]:
        """What has waited too long; it is forgotten here."""
        expired: list[Pending] = []
        while self._waiting and self._waiting[0].expires_at <= now:
            expired.append(self._waiting.popleft())
        for ref, pending in tuple(self._unanswered.items()):
            if pending.expires_at > now:
                break
            del self._unanswered[ref]
            expired.append(pending)
        return expired

    async def run(self) -> None:
        """Keep a stream open for ever."""
        channel = self._upstream.open_own((self._address,))
        stub = messaging_v1.MessagingServiceStub(channel)
        failures = 0
        try:
            while True:
                answered_before = self._answered_at
                try:
                    async with asyncio.timeout(CONNECT_WITHIN_SECONDS):
                        await channel.channel_ready()
                    self.is_up = True
                    await self._stream(stub.SendMessages())
                except* (grpc.aio.AioRpcError, StreamOver, TimeoutError) as errors:
                    log.info("send_stream_ended", errors=[_name(e) for e in errors.exceptions])
                failures = 0 if self._answered_at > answered_before else failures + 1
                self._give_back()
                pause = pause_after(max(failures, 1), first=FIRST_PAUSE, longest=LONGEST_PAUSE)
                await asyncio.sleep(pause.total_seconds())
        finally:
            self._give_back()
            await channel.close()

    async def _stream(self, call: Any) -> None:
        self._answered_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(call))
                group.create_task(self._write(call))
                group.create_task(self._notice_silence())
        finally:
            call.cancel()

    async def _write(self, call: Any) -> None:
        loop = asyncio.get_running_loop()
        written_at = 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                linger = written_at + LINGER_SECONDS - loop.time()
                if linger > 0:
                    await asyncio.sleep(linger)
                batch = self._next_batch()
                written_at = loop.time()
                try:
                    await call.write(messaging_v1.SendMessagesRequest(items=batch))
                except asyncio.InvalidStateError:
                    raise StreamOver from None

    def _next_batch(self) -> list[messaging_v1.SendMessagesItem]:
        if not self._unanswered:
            # It owes answers only from now on.
            self._answered_at = asyncio.get_running_loop().time()
        items: list[messaging_v1.SendMessagesItem] = []
        while self._waiting and len(items) < MAX_BATCH:
            pending = self._waiting.popleft()
            self._unanswered[pending.item.ref] = pending
            items.append(pending.item)
        metrics.GATEWAY_SENDS.observe(len(items))
        return items

    async def _read(self, call: Any) -> None:
        loop = asyncio.get_running_loop()
        async for answer in call:
            self._answered_at = loop.time()
            for result in answer.results:
                pending = self._unanswered.pop(result.ref, None)
                if pending is not None:
                    pending.settle(result)
        raise StreamOver

    async def _notice_silence(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(STUCK_AFTER_SECONDS / 4)
            if self._unanswered and loop.time() - self._answered_at >= STUCK_AFTER_SECONDS:
                raise StreamOver

    def _give_back(self) -> None:
        """Route everything anew, in its order: to another lane, or to this one's next stream."""
        self.is_up = False
        # Oldest first: what was written before what was not.
        mine = [*self._unanswered.values(), *self._waiting]
        self._unanswered.clear()
        self._waiting.clear()
        for pending in mine:
            self._route(pending)


def _name(error: BaseException) -> str:
    return error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
