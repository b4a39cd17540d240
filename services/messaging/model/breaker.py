"""A channel whose platform does not answer rests, instead of every message waiting for it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from services.messaging.model.dispatch import Ambiguous, NotSent, SendOutcome

WINDOW_SECONDS = 60.0
CALLS_LOOKED_AT = 20
FAILURES_THAT_TRIP = 10
REST = timedelta(seconds=15)


@dataclass(slots=True)
class Breaker:
    """Watches the calls of one channel; trips at 10 transport failures of the last 20 in 60 s.

    After a rest one failure trips it again, until a call has gone well.
    """

    calls: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=CALLS_LOOKED_AT))
    is_on_trial: bool = False

    def after(self, outcome: SendOutcome, *, now_seconds: float) -> timedelta | None:
        """Note a call; the rest it causes, if any."""
        has_failed = isinstance(outcome, NotSent | Ambiguous)
        if not has_failed:
            self.is_on_trial = False
        self.calls.append((now_seconds, has_failed))
        failures = sum(failed for at, failed in self.calls if now_seconds - at <= WINDOW_SECONDS)
        if has_failed and (self.is_on_trial or failures >= FAILURES_THAT_TRIP):
            self.calls.clear()
            self.is_on_trial = True
            return REST
        return None
