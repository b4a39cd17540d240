"""What every action works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.database import Database
from services.conversation.actions.ports import Members


@dataclass(frozen=True, slots=True)
class Means:
    """What every action works with."""

    database: Database
    clock: Clock
    wake_relay: Callable[[], None]
    """Called after a commit that wrote events."""
    members: Members
    reach_projection: Callable[[str, int], Awaitable[bool]] | None = None
    """Waits until a position of messaging's log is projected; None where nothing is projected."""
