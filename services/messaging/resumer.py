"""The resumer: lets the AI take over again when its time has come, and waits for the next time.

Any number of processes may run one. A wake-up tells it of timers set in its own process; what other
processes set, and a wall clock that was put forward, it notices within `LOOK_AGAIN`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import log
from services.messaging.actions import resume as actions

LOOK_AGAIN = timedelta(seconds=1)
"""Half of what the AI may be late by."""


class Resumer:
    """One worker. `run` owns its waiting; it has no other task."""

    def __init__(self, database: Database, clock: Clock, *, wake_relay: Callable[[], None]) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._clock = clock
        self._wake_relay = wake_relay
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at the timers at once: a hook for after a switch."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.run_once()
                pause = await self._pause()
            except Unavailable:
                log.warning("resumer_waits_for_database")
                pause = LOOK_AGAIN
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause.total_seconds())

    async def run_once(self) -> int:
        """Deal with every timer that is due now; how many that were."""
        count = 0
        now = self._clock.now()
        while await actions.resume_next(self._database, now=now):
            count += 1
        if count:
            self._wake_relay()
        return count

    async def _pause(self) -> timedelta:
        due = await actions.next_due(self._database)
        if due is None:
            return LOOK_AGAIN
        return max(timedelta(0), min(due - self._clock.now(), LOOK_AGAIN))
