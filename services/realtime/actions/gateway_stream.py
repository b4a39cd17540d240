"""One stream to a gateway: every workspace it watches, joined one by one, told together.

Each workspace is watched as by a stream of its own: from a position on, in a chain, with its own
catching up. What they share is the way out, where everything that has gathered leaves as one
message, at most once in a tick: most of what a small event costs is the message around it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta

from chassis.errors import FieldInvalid, TemporarilyUnavailable
from chassis.requests import parse_id
from inbox.realtime import v1 as realtime_v1
from services.realtime import mapping
from services.realtime.actions.replay import Replay
from services.realtime.actions.watching import Place, catch_up
from services.realtime.live import Live
from services.realtime.model import Bundle, Room, Share

TICK = timedelta(milliseconds=1)
"""After a message the next one gathers for so long; what comes after a pause leaves at once."""
MAX_WATCHED = 100_000
"""Above what a gateway has sockets for; a bound all the same."""
MAX_CATCHING_UP = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    room: Room
    share: Share
    joining: asyncio.Task[None]


class GatewayStream:
    """The state of one call."""

    def __init__(self, live: Live, replay: Replay) -> None:
        self._live = live
        self._replay = replay
        self._bundle = Bundle()
        self._watched: dict[int, _Watched] = {}
        self._turns = asyncio.Semaphore(MAX_CATCHING_UP)

    async def serve(
        self, requests: AsyncIterator[realtime_v1.WatchWorkspacesRequest]
    ) -> AsyncGenerator[bytes]:
        """Serialised WatchWorkspacesResponses, for ever.

        Raises: GatewayTooSlow, FieldInvalid, TemporarilyUnavailable.
        """
        if self._live.missing() is not None:
            raise TemporarilyUnavailable(part="a stream of events")
        reading = asyncio.ensure_future(self._read(requests))
        reading.add_done_callback(lambda _: self._bundle.wake())
        try:
            while True:
                gathered = await self._bundle.take()
                if reading.done():
                    reading.result()
                for message in mapping.bundled(gathered):
                    yield message
                await asyncio.sleep(TICK.total_seconds())
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reading
            for watched in self._watched.values():
                self._live.leave(watched.room, watched.share)

    async def _read(self, requests: AsyncIterator[realtime_v1.WatchWorkspacesRequest]) -> None:
        async with asyncio.TaskGroup() as group:
            async for request in requests:
                for ref in request.end:
                    self._end(ref)
                for wanted in request.begin:
                    self._begin(wanted, group)

    def _begin(self, wanted: realtime_v1.WorkspaceToWatch, group: asyncio.TaskGroup) -> None:
        if wanted.ref in self._watched:
            raise FieldInvalid(field="begin.ref", rule="must be another one each time")
        if len(self._watched) >= MAX_WATCHED:
            raise FieldInvalid(field="begin", rule=f"must be at most {MAX_WATCHED} on one stream")
        room = self._live.rooms.enter(parse_id("begin.workspace_id", wanted.workspace_id))
        share = Share(self._bundle, wanted.ref)
        joining = group.create_task(self._join(room, share, wanted.position))
        self._watched[wanted.ref] = _Watched(room, share, joining)

    def _end(self, ref: int) -> None:
        watched = self._watched.pop(ref, None)
        if watched is not None:
            watched.joining.cancel()
            self._live.leave(watched.room, watched.share)
            self._bundle.drop(watched.share)

    async def _join(self, room: Room, share: Share, position: str) -> None:
        place = Place(self._live, position)
        async with self._turns:
            await self._bundle.wait_for_room()
            past = catch_up(self._live, self._replay, room, place, share)
            async with aclosing(past) as messages:
                async for message in messages:
                    share.offer(message, 1)
                    await self._bundle.wait_for_room()
