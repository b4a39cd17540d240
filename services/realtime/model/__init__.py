"""How far something was read, what a workspace's chain remembers, who watches, who is there."""

from services.realtime.model.presence import TTL, Presences
from services.realtime.model.room import Entry, Room
from services.realtime.model.rooms import Rooms
from services.realtime.model.vector import NOWHERE, STREAMS, Life, Vector, covers, joined
from services.realtime.model.watcher import Watcher, WatcherTooSlow, packed

__all__ = [
    "NOWHERE",
    "STREAMS",
    "TTL",
    "Entry",
    "Life",
    "Presences",
    "Room",
    "Rooms",
    "Vector",
    "Watcher",
    "WatcherTooSlow",
    "covers",
    "joined",
    "packed",
]
