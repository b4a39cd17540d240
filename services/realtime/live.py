"""What this replica knows of the present: how far the streams were read, the rooms, who is there.

Everything here is synchronous and belongs to one event loop: an event is appended to its room and
passed on to the room's watchers in one go, so a watcher joins between two events, never within.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from chassis.clock import Clock
from chassis.events import Event
from services.realtime import mapping
from services.realtime.mapping import Positions
from services.realtime.model import (
    NOWHERE,
    STREAMS,
    Entry,
    Presences,
    Recipient,
    Room,
    Rooms,
    Vector,
    Writings,
)

ERASES = frozenset({"thread_erased", "conversation_erased", "contact_erased"})
"""Events before which nothing may be remembered: it is not erased from memories one by one."""


class Live:
    """The present."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._life = list(NOWHERE)
        self._read = [0] * len(STREAMS)
        self._moved = asyncio.Event()
        self.positions = Positions(NOWHERE)
        self.rooms = Rooms(self._open_room)
        self.presences = Presences()
        self.writings = Writings()

    @property
    def vector(self) -> Vector:
        """How far the streams were read."""
        return tuple(self._read)

    @property
    def position(self) -> str:
        """The same as a resume position."""
        return self.positions.write(self.vector)

    def missing(self) -> str | None:
        """For readiness: which streams have not been found yet."""
        names = [name for name, epoch in zip(STREAMS, self._life, strict=True) if not epoch]
        return f"{', '.join(names)} not found yet" if names else None

    def stand(self, source: int) -> tuple[str, int] | None:
        """Which life of a stream is read and how far; None before it was found."""
        epoch = self._life[source]
        return (epoch, self._read[source]) if epoch else None

    def begin(self, source: int, log_epoch: str, gpos: int) -> None:
        """A stream was found, or has begun another life: its events follow this position.

        Whoever watches has to load a snapshot, because what lies between is not known.
        """
        self._life[source], self._read[source] = log_epoch, gpos
        self.positions = Positions(tuple(self._life))
        for room in self.rooms:
            self.resync(room)
        self._signal()

    def take(self, source: int, events: Sequence[Event]) -> None:
        """The next events of a stream, of all workspaces."""
        told: dict[Room, list[bytes]] = {}
        for event in events:
            self._read[source] = event.gpos
            room = self.rooms.find(event.workspace_id)
            if room is None:
                continue
            body = mapping.event_body(event.subject, event.payload)
            if body is None:
                continue
            if event.event in ERASES:
                room.forget()
            vector = self.vector
            position = self.positions.write(vector)
            chunk = mapping.chunk_of(position, room.position, body)
            room.append(Entry(source, event.gpos, body, vector, position, chunk))
            told.setdefault(room, []).append(chunk)
        now = self._clock.monotonic()
        for room, chunks in told.items():
            room.tell(chunks, now)
        self._signal()

    def advance(self, room: Room) -> None:
        """Tell a room's watchers that nothing happened up to now."""
        previous, vector = room.position, self.vector
        room.move(vector, self.positions.write(vector))
        chunk = mapping.chunk_of(room.position, previous, mapping.IDLE)
        room.tell([chunk], self._clock.monotonic())

    def resync(self, room: Room) -> None:
        """Tell a room's watchers that the chain goes on elsewhere."""
        vector = self.vector
        room.restart(vector, self.positions.write(vector))
        room.tell([self.resync_chunk(room)], self._clock.monotonic())

    def resync_chunk(self, room: Room) -> bytes:
        """Load a snapshot, and go on from where the room stands."""
        return mapping.chunk_of(room.position, "", mapping.RESYNC_REQUIRED)

    async def reach(self, wanted: Vector, within: timedelta) -> bool:
        """Wait until the streams were read this far; False when they are not in time."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while any(read < there for read, there in zip(self._read, wanted, strict=True)):
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def tell_presence(self, workspace_id: str, about: str, chunk: bytes) -> None:
        """Pass a word about somebody on to who watches the workspace."""
        room = self.rooms.find(workspace_id)
        if room is None:
            return
        for watcher in room.watchers:
            watcher.offer_presence(about, chunk)

    def tell_writing(self, workspace_id: str, conversation_id: str, *, is_writing: bool) -> None:
        """Pass the word on that the AI writes somewhere, each time it is said; or stopped."""
        chunk = mapping.ai_writing_chunk(conversation_id, is_writing=is_writing)
        self.tell_presence(workspace_id, f"AI in {conversation_id}", chunk)

    def join(self, room: Room, watcher: Recipient) -> None:
        """From here on the watcher gets what the room gets; it is told who is there."""
        everybody = self.presences.present(room.workspace_id)
        watcher.offer(mapping.present_chunk(everybody), 1)
        room.watchers.add(watcher)

    def leave(self, room: Room, watcher: Recipient) -> None:
        """The watcher is gone."""
        room.watchers.discard(watcher)
        self.rooms.leave(room, self._clock.monotonic())

    def _open_room(self, workspace_id: str) -> Room:
        return Room(workspace_id, self.vector, self.position, self._clock.monotonic())

    def _signal(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
