"""Token buckets per workspace, caller and method; held in memory, so per replica."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chassis.caches import LeastRecent
from chassis.clock import Clock
from chassis.errors import ResourceExhausted

BUCKETS_KEPT = 50_000


@dataclass(eq=False)
class RateLimited(ResourceExhausted):
    """The caller calls faster than allowed."""

    retry_after_millis: int
    reason = "RATE_LIMITED"

    def __str__(self) -> str:
        return f"too many calls; come back in {self.retry_after_millis} ms"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """So many calls a second per key, and a burst."""

    def __init__(self, clock: Clock, *, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._buckets: LeastRecent[tuple[str, ...], _Bucket] = LeastRecent(BUCKETS_KEPT)

    def take(self, *key: str) -> None:
        """Count one call. Raises: RateLimited."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = _Bucket(float(self._burst), now)
            self._buckets.put(key, bucket)
        gained = (now - bucket.at) * self._per_second
        bucket.tokens = min(float(self._burst), bucket.tokens + gained)
        bucket.at = now
        if bucket.tokens < 1:
            missing = (1 - bucket.tokens) / self._per_second
            raise RateLimited(retry_after_millis=math.ceil(missing * 1000))
        bucket.tokens -= 1
