"""A workspace that is watched: the chain of its frames, the newest of them, and its watchers.

Every frame of the chain names the position before it, so a watcher notices if one is missing. The
chain is this replica's own: another one reads the streams interleaved in its own way. What a
position *means* is the same everywhere, so a watcher may come from any replica.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from services.realtime.model.vector import Vector, covers
from services.realtime.model.watcher import Recipient, packed

MAX_ENTRIES = 2_048
MAX_BYTES = 8 * 2**20


class Entry(NamedTuple):
    """One event in a workspace's chain."""

    source: int
    """Which of STREAMS it came from."""
    gpos: int
    body: bytes
    """The event as a field of a frame."""
    vector: Vector
    """How far everything was read when it was appended, itself included."""
    position: str
    chunk: bytes
    """The whole frame as a member of a WatchResponse."""

    def is_known_at(self, here: Vector) -> bool:
        """Whether somebody who has read this far has it."""
        return self.gpos <= here[self.source]


class Room:
    """One watched workspace."""

    def __init__(self, workspace_id: str, vector: Vector, position: str, now: float) -> None:
        self.workspace_id = workspace_id
        self.watchers: set[Recipient] = set()
        self.guests = 0
        """How many calls use the room, those still catching up included."""
        self.vector = vector
        self.position = position
        self.start = vector
        """The memory holds everything that came after this."""
        self.told_at = now
        """When the watchers last heard something."""
        self._entries: deque[Entry] = deque()
        self._size = 0

    def append(self, entry: Entry) -> None:
        """The next event of the chain; the oldest may leave the memory for it."""
        self._entries.append(entry)
        self._size += len(entry.body)
        self.vector, self.position = entry.vector, entry.position
        while len(self._entries) > MAX_ENTRIES or self._size > MAX_BYTES:
            oldest = self._entries.popleft()
            self._size -= len(oldest.body)
            self.start = oldest.vector

    def forget(self) -> None:
        """Whoever comes back from before this is read the streams, which say what was erased."""
        self._entries.clear()
        self._size = 0
        self.start = self.vector

    def move(self, vector: Vector, position: str) -> None:
        """Nothing of this workspace happened up to here."""
        self.vector, self.position = vector, position

    def restart(self, vector: Vector, position: str) -> None:
        """The chain goes on elsewhere; what was remembered belongs to no chain any more."""
        self.move(vector, position)
        self.forget()

    def after(self, here: Vector) -> Sequence[Entry] | None:
        """What somebody who has read this far has not; None when the memory begins later."""
        if not covers(here, self.start):
            return None
        return [entry for entry in self._entries if not entry.is_known_at(here)]

    def tell(self, chunks: Sequence[bytes], now: float) -> None:
        """Pass frames on to everybody, the same bytes; who is too slow leaves."""
        self.told_at = now
        if not self.watchers:
            return
        for message, frames in packed(chunks):
            slow = [watcher for watcher in self.watchers if not watcher.offer(message, frames)]
            self.watchers.difference_update(slow)
