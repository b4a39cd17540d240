"""Applies events: effects and cursor in one transaction, failing events parked beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from chassis import cursor, metrics, parking
from chassis.clock import Clock
from chassis.cursor import Cursor
from chassis.database import Database, DatabaseUnavailable, Transaction, TransactionCollided
from chassis.database_faults import fault_of
from chassis.events import Event
from chassis.logs import log
from chassis.tasks import pause_after

LONGEST_PAUSE = timedelta(seconds=2)
SUSPECT_AFTER = 5
"""So often a batch may fail with a database that answers, before its events are tried singly."""

Apply = Callable[[Transaction, Sequence[Event]], Awaitable[None]]
AWAY = (DatabaseUnavailable, TransactionCollided)


class Poison(Exception):
    """Applying failed, and not for want of a database."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Applier:
    """Applies the events of one consumer."""

    def __init__(
        self, consumer: str, stream: str, database: Database, apply: Apply, clock: Clock
    ) -> None:
        self._name = consumer
        self._stream = stream
        self._database = database
        self._apply = apply
        self._clock = clock

    async def persist(self, events: Sequence[Event]) -> None:
        """Apply a batch whatever the database does meanwhile, parking what cannot be applied."""
        failures = 0
        while True:
            try:
                await self._apply_batch(events)
            except Poison as poison:
                await self._apply_singly(events, poison.error)
                return
            except AWAY as away:
                failures += 1
                if failures >= SUSPECT_AFTER and await self._database_answers():
                    await self._apply_singly(events, away)
                    return
                pause = pause_after(failures, longest=LONGEST_PAUSE)
                await asyncio.sleep(pause.total_seconds())
            else:
                return

    async def _apply_singly(self, events: Sequence[Event], error: Exception) -> None:
        """Find the event that fails by halving, apply the others, park it."""
        if len(events) == 1:
            await self._park(events[0], error)
            return
        middle = len(events) // 2
        for half in (events[:middle], events[middle:]):
            try:
                await self._apply_batch(half)
            except Poison as poison:
                await self._apply_singly(half, poison.error)
            except AWAY as away:
                if not await self._database_answers():
                    raise
                await self._apply_singly(half, away)

    async def _apply_batch(self, events: Sequence[Event]) -> None:
        """Effects, queued events and cursor, in one transaction.

        Raises: CursorMoved, Poison, DatabaseUnavailable, TransactionCollided.
        """
        async with self._database.begin(is_flushed=False) as transaction:
            await self._claim(transaction, events[0])
            lines = await parking.waiting_lines(transaction, self._name, events)
            free = [event for event in events if parking.line_of(event) not in lines]
            behind = [event for event in events if parking.line_of(event) in lines]
            await self.apply_all(transaction, free)
            await parking.queue(transaction, self._name, self._stream, behind, self._clock.now())
            await cursor.move(transaction, self._name, events[-1].gpos)
        metrics.CONSUMER_APPLIED.labels(self._name).inc(len(free))
        metrics.CONSUMER_POSITION.labels(self._name).set(events[-1].gpos)

    async def apply_all(self, transaction: Transaction, events: Sequence[Event]) -> None:
        """Apply events, workspace by workspace: order matters only within one."""
        by_workspace: dict[str, list[Event]] = {}
        for event in events:
            by_workspace.setdefault(event.workspace_id, []).append(event)
        for run in by_workspace.values():
            await transaction.enter(run[0].workspace_id)
            try:
                await self._apply(transaction, run)
            except Exception as error:
                if fault_of(error, was_closed=transaction.raw.is_closed()) is not None:
                    raise  # the database's doing; `begin` tells it as such
                raise Poison(error) from error

    async def _park(self, event: Event, error: Exception) -> None:
        async with self._database.begin() as transaction:
            await self._claim(transaction, event)
            now = self._clock.now()
            await parking.park(transaction, self._name, self._stream, event, error, now)
            await cursor.move(transaction, self._name, event.gpos)
        metrics.CONSUMER_PARKED.labels(self._name).inc()
        log.error("event_parked", consumer=self._name, gpos=event.gpos, exc_info=error)

    async def _claim(self, transaction: Transaction, first: Event) -> None:
        await cursor.claim(transaction, self._name, Cursor(first.epoch, first.gpos - 1))

    async def retry_one(self) -> bool:
        """Try the parked event that is due; False when none is."""
        now = self._clock.now()
        event: Event | None = None
        try:
            async with self._database.begin() as transaction:
                # Its lock makes reader and retries take turns.
                if await cursor.load(transaction, self._name) is None:
                    return False
                event = await parking.next_due(transaction, self._name, now)
                if event is None:
                    return False
                await self.apply_all(transaction, [parking.as_received(event)])
                await parking.remove(transaction, self._name, event, now)
            log.info("parked_event_applied", consumer=self._name, gpos=event.gpos)
        except Poison as poison:
            if event is not None:
                await self._note_failure(event, poison.error)
        return True

    async def _note_failure(self, event: Event, error: Exception) -> None:
        async with self._database.begin() as transaction:
            await cursor.load(transaction, self._name)
            now = self._clock.now()
            is_dead = await parking.note_failure(transaction, self._name, event, error, now)
        if is_dead:
            metrics.CONSUMER_DEAD.labels(self._name).inc()
            log.error("event_dead", consumer=self._name, gpos=event.gpos, exc_info=error)

    async def _database_answers(self) -> bool:
        try:
            async with self._database.begin() as transaction:
                await transaction.raw.execute("SELECT 1")
        except AWAY:
            return False
        return True
