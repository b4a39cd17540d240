"""The text indexer: reads along the service's own log, so that a send does not pay for search."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis import metrics
from chassis.clock import Clock, SystemClock
from chassis.database import Database
from chassis.logs import log
from services.messaging.actions import text_index
from services.messaging.actions.text_index import Progress, Step
from services.messaging.store.text_index import TAKE_TURN

POLL = timedelta(milliseconds=500)
"""How long a message waits to be found; what comes meanwhile is written down together."""
BREATH = timedelta(milliseconds=20)
"""Between two steps of a walk, which has all the time in the world."""
STAND_BY = timedelta(seconds=1)
TELL_EVERY = 100
"""Steps of a walk between two lines in the log."""


class TextIndexer:
    """One indexer; any number of processes may run one, and one of them works.

    That is for efficiency only: every step locks the place it starts from.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._clock = clock or SystemClock()
        self._walked_steps = 0

    async def run(self) -> None:
        """Work or stand by until the database connection breaks; a supervisor calls it again."""
        turn = await self._database.connect()
        try:
            while not await turn.fetchval(TAKE_TURN):
                await self._clock.sleep(STAND_BY)
            log.info("text_indexer_active")
            while True:
                progress = await self.run_once()
                if progress.step is Step.NOTHING:
                    await self._clock.sleep(POLL)
                    # Lost with its connection, the turn may be somebody else's by now.
                    await turn.execute("SELECT 1")
                elif progress.step is Step.WALKED:
                    await asyncio.sleep(BREATH.total_seconds())
        finally:
            turn.terminate()

    async def run_once(self) -> Progress:
        """One step."""
        progress = await text_index.step(self._database)
        metrics.SEARCH_INDEXED.inc(progress.added_count)
        metrics.SEARCH_BEHIND.set(progress.behind_count)
        self._tell(progress)
        return progress

    def _tell(self, progress: Progress) -> None:
        if progress.step is Step.WALK_BEGAN:
            self._walked_steps = 0
            metrics.SEARCH_REBUILDING.set(1)
            log.warning("text_index_rebuilding")
        elif progress.step is Step.WALKED:
            self._walked_steps += 1
            metrics.SEARCH_REBUILDING.set(1)
            if self._walked_steps % TELL_EVERY == 0:
                log.info("text_index_rebuild_goes_on", steps=self._walked_steps)
        elif progress.step is Step.WALK_ENDED:
            metrics.SEARCH_REBUILDING.set(0)
            log.warning("text_index_rebuilt", steps=self._walked_steps)
