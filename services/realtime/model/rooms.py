"""The watched workspaces of this replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.realtime.model.room import Room

KEPT_SECONDS = 60.0
"""A room without guests is kept so long: a gateway that lost its connection is back at once."""
MAX_EMPTY = 1_024


class Rooms:
    """Rooms by workspace; most workspaces have none, and cost nothing."""

    def __init__(self, make: Callable[[str], Room]) -> None:
        """`make` opens a room that stands where the streams stand now."""
        self._make = make
        self._rooms: dict[str, Room] = {}
        self._empty_since: dict[str, float] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def __len__(self) -> int:
        return len(self._rooms)

    def find(self, workspace_id: str) -> Room | None:
        """The room of a workspace that is watched."""
        return self._rooms.get(workspace_id)

    def enter(self, workspace_id: str) -> Room:
        """The room of a workspace; from now on its events are kept."""
        room = self._rooms.get(workspace_id)
        if room is None:
            room = self._rooms[workspace_id] = self._make(workspace_id)
        self._empty_since.pop(workspace_id, None)
        room.guests += 1
        return room

    def leave(self, room: Room, now: float) -> None:
        """A guest has gone."""
        room.guests -= 1
        if room.guests == 0:
            self._empty_since[room.workspace_id] = now

    def sweep(self, now: float) -> None:
        """Close rooms that have been empty for long, or are too many; the longest empty first."""
        for workspace_id, since in list(self._empty_since.items()):
            if now - since < KEPT_SECONDS and len(self._empty_since) <= MAX_EMPTY:
                return
            del self._empty_since[workspace_id]
            del self._rooms[workspace_id]
