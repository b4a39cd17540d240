"""When a failed call is tried again, and how long after: rules without waiting or wires."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import grpc

from inbox_client.errors import InboxError
from inbox_client.methods import Method

AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""Nobody knows whether it was done: only what may be repeated is tried again."""
MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is. `Retries(tries=1)` tries nothing again."""

    tries: int = 6
    """How often a call is tried at most."""
    try_within: timedelta = timedelta(seconds=10)
    """How long one try may take."""
    first_pause: timedelta = timedelta(milliseconds=200)
    longest_pause: timedelta = timedelta(seconds=5)

    def pause_after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row: full jitter below a doubling cap."""
        doubled = self.first_pause * 2 ** min(failures - 1, MAX_DOUBLINGS)
        ceiling = min(doubled, self.longest_pause).total_seconds()
        return random.uniform(0, ceiling)  # noqa: S311 - spreading load is no secret


PATIENT = Retries()


class Tries:
    """The tries of one call."""

    def __init__(
        self,
        method: Method,
        retries: Retries,
        within_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._method = method
        self._retries = retries
        self._now = now
        self._ends_at = now() + within_seconds
        self._failures = 0

    def seconds_for_this(self) -> float:
        """The deadline of the try that begins now."""
        left = max(self._ends_at - self._now(), 0.0)
        return min(left, self._retries.try_within.total_seconds())

    def pause_after(self, error: InboxError) -> float:
        """Seconds to wait before the next try. Raises: the error, when there is none."""
        self._failures += 1
        if self._failures >= self._retries.tries or not self._may_pass(error):
            raise error
        pause = self._retries.pause_after(self._failures)
        if error.retry_after is not None:
            pause += error.retry_after.total_seconds()
        if self._now() + pause >= self._ends_at:
            raise error
        return pause

    def _may_pass(self, error: InboxError) -> bool:
        if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            # Refused at the door, so nothing was done; without a time it is a size, not a rate.
            return error.retry_after is not None
        return error.code in AWAY and self._method.may_be_repeated
