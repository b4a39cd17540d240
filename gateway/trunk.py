"""One stream from realtime for every workspace that has a socket here.

A hub joins and leaves it by a word, and what happens in all of them comes as one message a tick.
When the stream breaks, another is opened at whichever replica answers, each hub after the last
position it had, so sockets do not notice; when that takes too long they are sent away, because a
client that hears nothing must not believe that nothing happens.
"""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc

from chassis import metrics
from chassis.logs import log
from chassis.tasks import pause_after
from gateway import wire
from gateway.hub import ChainBroken
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from gateway.hub import Hub
    from gateway.upstream import Upstream

MAX_BEGUN_TOGETHER = 500
"""In one message; each brings its position."""
SILENT_AFTER_SECONDS = 90.0
"""Realtime says something at least every 60 s; longer silence is a dead stream."""
LOOK_EVERY_SECONDS = 1.0
AWAY_AFTER_SECONDS = 10.0
FIRST_PAUSE = timedelta(milliseconds=50)
LONGEST_PAUSE = timedelta(seconds=2)


class StreamOver(Exception):
    """The stream ended, or has to."""


class Trunk:
    """The hubs, what realtime has not been told of them yet, and the stream."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._numbers = itertools.count(1)
        self._hubs: dict[int, Hub] = {}
        """By the ref that their frames carry."""
        self._refs: dict[Hub, int] = {}
        self._to_begin: list[int] = []
        self._to_end: list[int] = []
        self._broken: set[Hub] = set()
        """Hubs that begin again at the next look."""
        self._wake = asyncio.Event()
        self._heard_at: float | None = None
        """When this stream brought something; None when it has not yet."""
        self._asked_at = 0.0
        self._away_since: float | None = None

    def begin(self, hub: Hub) -> None:
        """Watch the hub's workspace, from its position on."""
        ref = next(self._numbers)
        self._hubs[ref], self._refs[hub] = hub, ref
        self._to_begin.append(ref)
        metrics.GATEWAY_WATCHES.inc()
        self._wake.set()

    def end(self, hub: Hub) -> None:
        """Watch it no more; frames that are on their way are nobody's."""
        self._broken.discard(hub)
        ref = self._refs.pop(hub, None)
        if ref is not None:
            del self._hubs[ref]
            self._to_end.append(ref)
            metrics.GATEWAY_WATCHES.dec()
            self._wake.set()

    async def run(self) -> None:
        """Keep a stream open for ever, while there are hubs."""
        failures = 0
        while True:
            while not self._hubs and not self._broken:
                self._wake.clear()
                await self._wake.wait()
            try:
                await self._stream(self._upstream.watch_workspaces())
            except* (grpc.aio.AioRpcError, StreamOver) as errors:
                log.warning("watch_broken", errors=[_name(e) for e in errors.exceptions])
            was_fed = self._heard_at is not None
            failures = 0 if was_fed else failures + 1
            for hub in self._refs:
                hub.lose()
            self._count_absence(was_fed=was_fed)
            pause = pause_after(max(failures, 1), first=FIRST_PAUSE, longest=LONGEST_PAUSE)
            await asyncio.sleep(pause.total_seconds())

    async def _stream(self, call: Any) -> None:
        self._begin_broken()
        self._to_begin, self._to_end = list(self._hubs), []
        self._heard_at, self._asked_at = None, asyncio.get_running_loop().time()
        self._wake.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(call))
                group.create_task(self._write(call))
                group.create_task(self._look_around())
        finally:
            call.cancel()

    async def _write(self, call: Any) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._to_begin or self._to_end:
                request = self._next_request()
                self._asked_at = asyncio.get_running_loop().time()
                try:
                    await call.write(request)
                except asyncio.InvalidStateError:
                    raise StreamOver from None

    def _next_request(self) -> realtime_v1.WatchWorkspacesRequest:
        refs = self._to_begin[:MAX_BEGUN_TOGETHER]
        del self._to_begin[:MAX_BEGUN_TOGETHER]
        request = realtime_v1.WatchWorkspacesRequest(end=self._to_end)
        self._to_end = []
        for ref in refs:
            hub = self._hubs.get(ref)
            if hub is not None:
                request.begin.add(ref=ref, workspace_id=hub.workspace_id, position=hub.position)
        return request

    async def _read(self, call: Any) -> None:
        loop = asyncio.get_running_loop()
        async for answer in call:
            self._heard_at = loop.time()
            for brought in answer.workspaces:
                # A hub that is gone still gets what was on its way; it is not here any more.
                hub = self._hubs.get(brought.ref)
                if hub is not None:
                    self._give(hub, brought.frames)
        raise StreamOver

    def _give(self, hub: Hub, frames: list[bytes]) -> None:
        try:
            hub.take(frames)
        except (ChainBroken, wire.WireInvalid) as error:
            # Its neighbours on the stream are not concerned.
            log.warning("watch_broken", errors=[_name(error)])
            self.end(hub)
            hub.lose()
            self._broken.add(hub)

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            self._begin_broken()
            silent_since = max(self._heard_at or 0.0, self._asked_at)
            silence = asyncio.get_running_loop().time() - silent_since
            if self._hubs and silence >= SILENT_AFTER_SECONDS:
                raise StreamOver

    def _begin_broken(self) -> None:
        while self._broken:
            self.begin(self._broken.pop())

    def _count_absence(self, *, was_fed: bool) -> None:
        now = asyncio.get_running_loop().time()
        if was_fed or self._away_since is None:
            self._away_since = now
        elif now - self._away_since >= AWAY_AFTER_SECONDS:
            for hub in tuple(self._refs):
                hub.send_away()


def _name(error: BaseException) -> str:
    return error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
