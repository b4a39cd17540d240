"""What every live socket is held to, agents' and visitors' alike: pure arithmetic on a clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES_PER_SECOND = 20.0
FRAMES_BURST = 40.0
HELLO_WITHIN = timedelta(seconds=5)
PING_AFTER_SECONDS = (20.0, 30.0)
"""Drawn anew each time, so sockets that came together do not ping together."""
DEAD_AFTER_SECONDS = 60.0


class Allowance:
    """So many inbound frames a second, and a burst."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left = FRAMES_BURST
        self._at = now

    def take(self, now: float) -> bool:
        """Count one frame; False when it is one too many."""
        gained = (now - self._at) * FRAMES_PER_SECOND
        self._left = min(FRAMES_BURST, self._left + gained) - 1
        self._at = now
        return self._left >= 0


class Pulse:
    """Asks a silent client whether it is still there."""

    __slots__ = ("_draw", "_heard_at", "_ping_at")

    def __init__(self, now: float, draw: Callable[[float, float], float]) -> None:
        self._draw = draw
        self._heard_at = now
        self._ping_at = now + draw(*PING_AFTER_SECONDS)

    def heard(self, now: float) -> None:
        """Bytes of the client came."""
        self._heard_at = now

    def is_dead(self, now: float) -> bool:
        """Nothing came for too long, not even answers to pings."""
        return now - self._heard_at >= DEAD_AFTER_SECONDS

    def is_ping_due(self, now: float) -> bool:
        """Whether to ping now; a yes counts as done."""
        if now < self._ping_at:
            return False
        self._ping_at = now + self._draw(*PING_AFTER_SECONDS)
        return True
