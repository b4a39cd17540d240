"""How far something was read, what a chain remembers, who watches, who is there, who writes."""

from services.realtime.model.presence import TTL, Presences
from services.realtime.model.room import Entry, Room
from services.realtime.model.rooms import Rooms
from services.realtime.model.vector import NOWHERE, STREAMS, Life, Vector, covers, joined
from services.realtime.model.watcher import Watcher, WatcherTooSlow, packed
from services.realtime.model.writing import Writings

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
    "Writings",
    "covers",
    "joined",
    "packed",
]
