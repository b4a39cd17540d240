"""The worker that says where the AI is about to write, while it waits for the rest of a burst.

Answering itself says so while it writes, which may take no time at all: without this nobody would
see it coming, neither the customer nor the person who might want to take over.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis.clock import Clock
from chassis.database import Database, DatabaseUnavailable
from chassis.logs import log
from services.assistant.actions.ports import Audience, Place
from services.assistant.store import duties

LOOK_EVERY = timedelta(milliseconds=250)
TELL_EVERY = timedelta(seconds=3)
"""Realtime lets the sign fade after 10."""
MAX_TOLD = 100
"""At one look: the signs are worth no more."""


class Announcing:
    """One worker; any number of processes may run one, and say the same. It has no other task."""

    def __init__(
        self,
        database: Database,
        audience: Audience,
        clock: Clock,
        *,
        due_clock: Clock | None = None,
    ) -> None:
        """`database` is the worker role's. Due times are compared by the database's clock, unless
        a test gives the clock it owns.
        """
        self._database = database
        self._audience = audience
        self._clock = clock
        self._due_clock = due_clock
        self._told: dict[Place, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.run_once()
            except DatabaseUnavailable:
                log.warning("announcing_waits_for_database")
            await self._clock.sleep(LOOK_EVERY)

    async def run_once(self) -> None:
        """Say it wherever an answer comes due soon, unless that was just said."""
        at = self._due_clock.now() if self._due_clock is not None else None
        async with self._database.begin() as transaction:
            due_soon = await duties.due_soon(transaction, limit=MAX_TOLD, at=at)
        now = self._clock.monotonic()
        fresh = {
            place: told
            for place, told in self._told.items()
            if now - told < TELL_EVERY.total_seconds()
        }
        # Nothing is said there yet, so under no name.
        soon = [Place(*where, display_name="") for where in due_soon]
        untold = [place for place in soon if place not in fresh]
        self._told = fresh | dict.fromkeys(untold, now)
        async with asyncio.TaskGroup() as group:
            for place in untold:
                group.create_task(self._audience.tell(place, is_writing=True))
