"""Watching a workspace: from a position on, without a gap, from whichever replica it came.

A position of another replica is a vector like any other. What it has is left out, what it lacks
is given, from the room's memory or else from the streams; frames then carry positions that join
both, until the watcher stands where the room stands and hears what everybody hears. A position
that leads nowhere is answered once by `resync_required`, with a position that does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta

from chassis.errors import TemporarilyUnavailable
from services.realtime import mapping
from services.realtime.actions.replay import CannotReplay, Replay
from services.realtime.live import Live
from services.realtime.model import (
    Entry,
    Recipient,
    Room,
    Vector,
    Watcher,
    covers,
    joined,
    packed,
)

REACH_WITHIN = timedelta(seconds=5)
"""A watcher that comes from another replica may be a moment ahead of this one."""
MAX_ROUNDS = 8
MAX_FRAMES_TOGETHER = 256
MAX_BYTES_TOGETHER = 2**19


async def watch(
    live: Live, replay: Replay, workspace_id: str, position: str, until: str
) -> AsyncGenerator[bytes]:
    """Serialised WatchResponses, for ever, or until a position is reached.

    Raises: WatcherTooSlow, TemporarilyUnavailable.
    """
    if live.missing() is not None:
        raise TemporarilyUnavailable(part="a stream of events")
    room = live.rooms.enter(workspace_id)
    watcher = Watcher()
    try:
        place = Place(live, position)
        if until:
            async for message in _bring_to(live, replay, room, place, until):
                yield message
            return
        async with aclosing(catch_up(live, replay, room, place, watcher)) as messages:
            async for message in messages:
                yield message
        while True:
            for message in await watcher.take():
                yield message
    finally:
        live.leave(room, watcher)


class Place:
    """Where a watcher stands, and the frames that take it further."""

    def __init__(self, live: Live, position: str) -> None:
        self._positions = live.positions
        self.position = position
        self.vector = live.positions.read(position)

    def is_of(self, live: Live) -> bool:
        """Whether the streams still live the life that the place belongs to."""
        return self._positions is live.positions

    def past(self, source: int, gpos: int, body: bytes) -> bytes:
        """The frame that takes it past an event; everything else it has, it keeps."""
        assert self.vector is not None  # noqa: S101 - only places on the map move
        vector = list(self.vector)
        vector[source] = max(vector[source], gpos)
        return self._step(tuple(vector), self._positions.write(tuple(vector)), body)

    def onto(self, vector: Vector, position: str) -> bytes:
        """The frame that says that nothing is between here and there."""
        return self._step(vector, position, mapping.IDLE)

    def _step(self, vector: Vector, position: str, body: bytes) -> bytes:
        chunk = mapping.chunk_of(position, self.position, body)
        self.vector, self.position = vector, position
        return chunk


async def catch_up(
    live: Live, replay: Replay, room: Room, place: Place, watcher: Recipient
) -> AsyncGenerator[bytes]:
    """Bring a watcher to where the room stands, and let it join there."""
    if not place.position:
        _begin_now(live, room, watcher)
        return
    for _ in range(MAX_ROUNDS):
        if place.vector is None or not await live.reach(place.vector, REACH_WITHIN):
            break
        if not place.is_of(live):
            break
        entries = room.after(place.vector)
        if entries is not None:
            _join(live, room, place, watcher, entries)
            return
        try:
            async with aclosing(_from_streams(live, replay, room, place, live.vector)) as messages:
                async for message in messages:
                    yield message
        except CannotReplay:
            break
    _start_over(live, room, watcher)


def _begin_now(live: Live, room: Room, watcher: Recipient) -> None:
    if room.vector != live.vector:
        live.advance(room)
    watcher.offer(mapping.chunk_of(room.position, "", mapping.IDLE), 1)
    live.join(room, watcher)


def _start_over(live: Live, room: Room, watcher: Recipient) -> None:
    if room.vector != live.vector:
        live.advance(room)
    watcher.offer(live.resync_chunk(room), 1)
    live.join(room, watcher)


def _join(
    live: Live, room: Room, place: Place, watcher: Recipient, entries: Sequence[Entry]
) -> None:
    """Give what the memory has, and join; nothing waits here, so nothing comes between."""
    assert place.vector is not None  # noqa: S101 - the memory was asked with it
    if not covers(room.vector, place.vector):
        # The watcher has read further where nothing happened: let the whole room say so.
        live.advance(room)
    chunks = _from_memory(place, entries)
    if place.position != room.position:
        chunks.append(place.onto(room.vector, room.position))
    for message, frames in packed(chunks):
        watcher.offer(message, frames)
    live.join(room, watcher)


def _from_memory(place: Place, entries: Sequence[Entry]) -> list[bytes]:
    """The frames that take a place past the entries."""
    chunks: list[bytes] = []
    for entry in entries:
        here = place.vector
        assert here is not None  # noqa: S101 - as above
        if covers(entry.vector, here):
            # The chain's own place: from here on its own words fit.
            previous = place.position
            place.vector, place.position = entry.vector, entry.position
            chunks.append(mapping.chunk_of(entry.position, previous, entry.body))
        else:
            chunks.append(place.past(entry.source, entry.gpos, entry.body))
    return chunks


async def _from_streams(
    live: Live, replay: Replay, room: Room, place: Place, upto: Vector
) -> AsyncGenerator[bytes]:
    """Bring a place to a vector by reading the streams. Raises: CannotReplay."""
    assert place.vector is not None  # noqa: S101 - the caller made sure
    after = place.vector
    gathered: list[bytes] = []
    size = 0
    events = replay.events(room.workspace_id, live.positions.life, after, upto)
    async for source, event in events:
        body = mapping.event_body(event.subject, event.payload)
        if body is None:
            continue
        chunk = place.past(source, event.gpos, body)
        gathered.append(chunk)
        size += len(chunk)
        if len(gathered) >= MAX_FRAMES_TOGETHER or size >= MAX_BYTES_TOGETHER:
            yield b"".join(gathered)
            gathered, size = [], 0
    reached = joined(after, upto)
    if place.vector != reached:
        gathered.append(place.onto(reached, live.positions.write(reached)))
    if gathered:
        yield b"".join(gathered)


async def _bring_to(
    live: Live, replay: Replay, room: Room, place: Place, until: str
) -> AsyncGenerator[bytes]:
    """Bring a watcher exactly to a position, and no further."""
    wanted = live.positions.read(until)
    if place.vector is None or wanted is None:
        yield live.resync_chunk(room)
        return
    goal = joined(place.vector, wanted)
    if not await live.reach(goal, REACH_WITHIN) or not place.is_of(live):
        yield live.resync_chunk(room)
        return
    entries = room.after(place.vector)
    if entries is not None:
        chunks = [
            place.past(entry.source, entry.gpos, entry.body)
            for entry in entries
            if entry.is_known_at(goal)
        ]
        for message, _ in packed(chunks):
            yield message
    else:
        try:
            async with aclosing(_from_streams(live, replay, room, place, goal)) as messages:
                async for message in messages:
                    yield message
        except CannotReplay:
            yield live.resync_chunk(room)
            return
    ending = until if goal == wanted else live.positions.write(goal)
    if place.position != ending:
        yield place.onto(goal, ending)
