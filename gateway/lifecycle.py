"""What every live socket goes through, an agent's and a visitor's alike: the states, and the end.

NEW ──hello──▶ ADMITTING ──admitted──▶ JOINING ──joined──▶ LIVE ──▶ CLOSED
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from gateway.actions import Action, Close
from gateway.close_codes import CloseCode
from gateway.liveness import HELLO_WITHIN, Pulse

if TYPE_CHECKING:
    from collections.abc import Callable

JOIN_WITHIN_SECONDS = 15.0


class State(enum.Enum):
    """How far the socket got."""

    NEW = enum.auto()
    ADMITTING = enum.auto()
    """Its credential is being looked at."""
    JOINING = enum.auto()
    LIVE = enum.auto()
    CLOSED = enum.auto()


class Lifecycle:
    """The part of a session that asks for nothing but time."""

    __slots__ = ("_deadline", "_expires_at", "_pulse", "state")

    def __init__(self, now: float, draw: Callable[[float, float], float]) -> None:
        self.state = State.NEW
        self._deadline = now + HELLO_WITHIN.total_seconds()
        self._pulse = Pulse(now, draw)
        self._expires_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether the end was decided."""
        return self.state is State.CLOSED

    def heard(self, now: float) -> None:
        """Bytes came, whatever they say."""
        self._pulse.heard(now)

    def close(self, code: CloseCode, reason: str) -> list[Action]:
        """End it, whoever asks."""
        if self.is_closed:
            return []
        self.state = State.CLOSED
        return [Close(code, reason)]

    def _begin_to_join(self, now: float) -> None:
        self.state = State.JOINING
        self._deadline = now + JOIN_WITHIN_SECONDS

    def _overdue(self, now: float) -> list[Action]:
        """The end, if its time has come."""
        if self._pulse.is_dead(now):
            return self.close(CloseCode.TOO_SLOW, "no sign of life")
        if self.state is State.LIVE:
            if now >= self._expires_at:
                return self.close(CloseCode.CREDENTIAL_ENDED, "the access token has ended")
        elif now >= self._deadline:
            if self.state is State.NEW:
                return self.close(CloseCode.CREDENTIAL_ENDED, "the hello did not come in time")
            return self.close(CloseCode.RESTART, "the live stream is away; come back")
        return []
