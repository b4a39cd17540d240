"""Stand-ins that tests own; each keeps the contract of the real thing."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """A chassis.clock.Clock that moves only when a test says so."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, span: timedelta) -> None:
        if span <= timedelta(0):
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wake_at = self._monotonic + span.total_seconds()
        heapq.heappush(self._sleepers, (wake_at, next(self._order), woken))
        await woken

    def advance(self, span: timedelta) -> None:
        """Move on, and wake who slept until now; they run at the next await."""
        self._now += span
        self._monotonic += span.total_seconds()
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def set_wall(self, now: datetime) -> None:
        """Change the wall clock only, as an administrator or a time server may."""
        self._now = now

    @property
    def sleeper_count(self) -> int:
        """How many wait for this clock."""
        return sum(not woken.done() for _, _, woken in self._sleepers)


async def settle() -> None:
    """Let every task that can run do so, without letting time pass."""
    for _ in range(20):
        await asyncio.sleep(0)
