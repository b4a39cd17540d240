"""How far something was read, what a chain remembers, who watches, who is there, who writes."""

from services.realtime.model.bundle import Bundle, GatewayTooSlow, Share
from services.realtime.model.presence import TTL, Presences
from services.realtime.model.room import Entry, Room
from services.realtime.model.rooms import Rooms
from services.realtime.model.vector import NOWHERE, STREAMS, Life, Vector, covers, joined
from services.realtime.model.watcher import Recipient, Watcher, WatcherTooSlow, packed
from services.realtime.model.writing import Writings

__all__ = [
    "NOWHERE",
    "STREAMS",
    "TTL",
    "Bundle",
    "Entry",
    "GatewayTooSlow",
    "Life",
    "Presences",
    "Recipient",
    "Room",
    "Rooms",
    "Share",
    "Vector",
    "Watcher",
    "WatcherTooSlow",
    "Writings",
    "covers",
    "joined",
    "packed",
]
