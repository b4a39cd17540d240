"""Rebuilds a consumer from the owner's present entities, when the log cannot bring it further.

A snapshot has no order and takes as long as it takes; the cursor moves to the snapshot's position
only at its end, so whatever interrupts a rebuild, it begins again. Entities that cannot be applied
are parked below position 1, at the head of their lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chassis import cursor, metrics, parking
from chassis.applier import Apply, Poison
from chassis.clock import Clock
from chassis.cursor import Cursor
from chassis.database import Database
from chassis.events import Event, text_of
from chassis.ids import new_id
from chassis.logs import log
from chassis.owners_log import LogExpired, OwnersLog, OwnerUnavailable, SnapshotPage
from chassis.tasks import pause_after

MAX_BATCH = 500
EVERYTHING = 2**62


class RebuildInterrupted(Exception):
    """The snapshot ended before its last page; begin again."""


class Rebuild:
    """One rebuild of one consumer."""

    def __init__(
        self,
        consumer: str,
        stream: str,
        database: Database,
        owner: OwnersLog,
        apply_all: Apply,
        clock: Clock,
    ) -> None:
        self._consumer = consumer
        self._stream = stream
        self._database = database
        self._owner = owner
        self._apply_all = apply_all
        self._clock = clock
        self._parked_count = 0

    async def run(
        self, before: Cursor | None, on_rebuilt: Callable[[str], Awaitable[None]] | None
    ) -> None:
        """Apply a whole snapshot, then move the cursor from where it stood.

        Raises: RebuildInterrupted, CursorMoved, DatabaseUnavailable.
        """
        async with self._database.begin() as transaction:
            await parking.forget_entities(transaction, self._consumer)
        page = await self._page("")
        after = Cursor(page.log_epoch, page.gpos)
        while True:
            for start in range(0, len(page.entities), MAX_BATCH):
                await self._apply(page.entities[start : start + MAX_BATCH])
            if not page.next_page_token:
                break
            page = await self._page(page.next_page_token)
            if Cursor(page.log_epoch, page.gpos) != after:
                raise RebuildInterrupted("the log began another life")
        if on_rebuilt is not None:
            await on_rebuilt(after.log_epoch)
        await self._finish(before, after)

    async def _finish(self, before: Cursor | None, after: Cursor) -> None:
        goes_on = (
            before is not None and before.log_epoch == after.log_epoch and before.gpos <= after.gpos
        )
        async with self._database.begin() as transaction:
            await cursor.replace(
                transaction, self._consumer, self._stream, before=before, after=after
            )
            overtaken = await parking.forget(
                transaction,
                self._consumer,
                up_to_gpos=after.gpos if goes_on else EVERYTHING,
            )
        log.warning(
            "consumer_rebuilt", consumer=self._consumer, gpos=after.gpos, overtaken=overtaken
        )

    async def _page(self, token: str) -> SnapshotPage:
        failures = 0
        while True:
            try:
                return await self._owner.snapshot(token)
            except OwnerUnavailable:
                failures += 1
                await asyncio.sleep(pause_after(failures).total_seconds())
            except LogExpired:
                raise RebuildInterrupted("the snapshot's position is not kept any more") from None

    async def _apply(self, entities: Sequence[Event]) -> None:
        """Apply entities, halving to find the one that fails."""
        try:
            async with self._database.begin() as transaction:
                await self._apply_all(transaction, entities)
        except Poison as poison:
            if len(entities) == 1:
                await self._park(entities[0], poison.error)
                return
            middle = len(entities) // 2
            for half in (entities[:middle], entities[middle:]):
                await self._apply(half)

    async def _park(self, entity: Event, error: Exception) -> None:
        self._parked_count += 1
        now = self._clock.now()
        parked = entity._replace(
            gpos=-self._parked_count, event_id=new_id(), time_text=text_of(now)
        )
        async with self._database.begin() as transaction:
            await parking.park(transaction, self._consumer, self._stream, parked, error, now)
        metrics.CONSUMER_PARKED.labels(self._consumer).inc()
        log.error("entity_parked", consumer=self._consumer, exc_info=error)
