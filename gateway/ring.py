"""A hub's memory: the newest frames of the chain, so that most reconnects ask nobody."""

from __future__ import annotations

from collections import deque

from gateway import positions, wire
from gateway.encodings import Encoding
from inbox.realtime import v1 as realtime_v1

MAX_EVENTS = 1024
MAX_BYTES = 4 * 1024 * 1024
SOURCES = {
    field.number: f"INBOX_{domain.upper()}"
    for field in realtime_v1.ServerFrame.DESCRIPTOR.fields
    if field.message_type is not None
    and (domain := field.message_type.file.package.split(".")[1]) != "realtime"
}
"""Which stream an event comes from, by its field: the streams are named for the domains."""


class Event:
    """One frame of realtime, encoded once per subprotocol and at most once."""

    __slots__ = ("_json", "_vector", "kind", "position", "previous", "proto", "raw")

    def __init__(self, raw: bytes) -> None:
        """Raises: WireInvalid."""
        self.raw = raw
        self.position, self.previous, self.kind = wire.head_of(raw)
        self.proto = Encoding.PROTO.encode_raw(raw, realtime_v1.ServerFrame)
        self._json: bytes | None = None
        self._vector: positions.Vector | None = None

    def encoded(self, encoding: Encoding) -> bytes:
        """The WebSocket frame; JSON is made when the first JSON socket needs it."""
        if encoding is Encoding.PROTO:
            return self.proto
        if self._json is None:
            self._json = Encoding.JSON.encode_raw(self.raw, realtime_v1.ServerFrame)
        return self._json

    @property
    def vector(self) -> positions.Vector:
        """The position, opened."""
        if self._vector is None:
            self._vector = positions.read(self.position) or {}
        return self._vector

    @property
    def source(self) -> positions.Stream | None:
        """The stream it came from; None when it says nothing but that the position moved."""
        name = SOURCES.get(self.kind)
        return next((stream for stream in self.vector if stream[0] == name), None)

    def is_known_at(self, here: positions.Vector) -> bool:
        """Whether someone who has read this far has it."""
        source = self.source
        if source is None:
            return positions.covers(here, self.vector)
        # The other streams' parts say how far those were read meanwhile, for other workspaces.
        return self.vector[source] <= here[source]

    def moved(self, position: str, previous: str) -> Event:
        """The same event at another place of somebody else's chain."""
        frame = realtime_v1.ServerFrame.FromString(self.raw)
        frame.position, frame.previous = position, previous
        return Event(frame.SerializeToString())


class Ring:
    """Bounded by number and by bytes."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Remember an event of the chain; the oldest may leave for it."""
        self._events.append(event)
        self._bytes += len(event.raw)
        while len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self._bytes -= len(self._events.popleft().raw)

    def clear(self) -> None:
        """Forget the chain: it goes on elsewhere."""
        self._events.clear()
        self._bytes = 0

    def after(self, position: str) -> list[Event] | None:
        """What follows a position; None when the memory does not reach back to it."""
        following = self._after_exactly(position)
        return following if following is not None else self._after_reading(position)

    def _after_exactly(self, position: str) -> list[Event] | None:
        """The common case: the client stood in this very chain."""
        following: list[Event] = []
        # From the newest: a client that was cut off a moment ago is near the end.
        for event in reversed(self._events):
            if event.position == position:
                return following[::-1]
            following.append(event)
            if event.previous == position:
                return following[::-1]
        return None

    def _after_reading(self, position: str) -> list[Event] | None:
        """A position of another gateway's chain: leave out what the client has, close the chain."""
        here = positions.read(position)
        if here is None or not self._events:
            return None
        start = positions.read(self._events[0].previous)
        newest = self._events[-1]
        if start is None or not positions.covers(here, start):
            return None
        if not positions.covers(newest.vector, here):
            return None
        following: list[Event] = []
        for event in self._events:
            source = event.source
            if source is not None and source not in here:
                return None
            if event.is_known_at(here):
                continue
            here = positions.join(here, event.vector)
            reached = positions.write(here)
            following.append(event.moved(reached, position))
            position = reached
        if position != newest.position:
            # The same place in this chain's own words: the next frame follows those.
            idle = realtime_v1.ServerFrame(
                position=newest.position, previous=position, idle=realtime_v1.Idle()
            )
            following.append(Event(idle.SerializeToString()))
        return following
