"""Reads a workspace's events from JetStream, for positions older than the rooms' memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from chassis.bus import Bus, BusUnavailable
from chassis.clock import Clock
from chassis.events import Event, NotAnEvent
from chassis.stream import EventStream, StreamRefused, StreamState
from services.realtime.model import STREAMS, Life, Vector

MAX_EVENTS = 20_000
"""Further behind, a snapshot is quicker for everybody."""
STREAM_GRACE = timedelta(seconds=5)
"""The stream may be a moment behind the hints, or be written again after a wipe."""
POLL = timedelta(milliseconds=20)


class CannotReplay(Exception):
    """The streams do not have everything in between: load a snapshot."""


class Replay:
    """Reads the past."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._streams = [EventStream(bus, name) for name in STREAMS]
        self._clock = clock

    async def events(
        self, workspace_id: str, life: Life, after: Vector, upto: Vector
    ) -> AsyncIterator[tuple[int, Event]]:
        """A workspace's events after one vector up to another, each with its stream's number.

        Raises: CannotReplay.
        """
        left = MAX_EVENTS
        for source, stream in enumerate(self._streams):
            first, last = after[source] + 1, upto[source]
            if first > last:
                continue
            before = await self._state(stream, life[source], first, last)
            async for event in self._read(stream, workspace_id, first, last):
                left -= 1
                if left < 0:
                    raise CannotReplay
                yield source, event
            # Had it been wiped meanwhile, events would be missing from what was read.
            if (await self._state(stream, life[source], first, last)).created != before.created:
                raise CannotReplay

    async def _read(
        self, stream: EventStream, workspace_id: str, first: int, last: int
    ) -> AsyncIterator[Event]:
        subject = f"inbox.{stream.domain}.v1.*.{workspace_id}"
        while first <= last:
            try:
                events = await stream.read(first, subject=subject)
            except (BusUnavailable, NotAnEvent):
                raise CannotReplay from None
            for event in events:
                if event.gpos > last:
                    return
                yield event
            if not events:
                return
            first = events[-1].gpos + 1

    async def _state(
        self, stream: EventStream, log_epoch: str, first: int, last: int
    ) -> StreamState:
        """The stream's state, once it has everything from first to last."""
        deadline = self._clock.monotonic() + STREAM_GRACE.total_seconds()
        while self._clock.monotonic() < deadline:
            try:
                state = await stream.state()
            except (BusUnavailable, StreamRefused):
                state = None
            if state is not None and state.last_seq >= last:
                if state.log_epoch != log_epoch or state.first_seq > first:
                    break
                return state
            await asyncio.sleep(POLL.total_seconds())
        raise CannotReplay
