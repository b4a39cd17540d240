"""The webhook worker: processes what platforms told us, item by item, in order per contact."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from chassis import metrics
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.logs import log
from services.messaging.actions import webhooks as actions
from services.messaging.actions.webhooks import IntakeDesk
from services.messaging.store import dead_webhooks
from services.messaging.store import webhooks as store
from services.messaging.store.webhooks import ProcessedItem, TakenItem

BATCH = 16
"""Contacts that are dealt with at the same time."""
POLL = timedelta(milliseconds=250)
AWAY_PAUSE = timedelta(seconds=1)
CLEAN_EVERY = timedelta(minutes=10)
COUNT_EVERY = timedelta(seconds=30)


class WebhookWorker:
    """One worker; any number of processes may run one."""

    def __init__(self, desk: IntakeDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for items at once: a hook for after a call was kept."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._clean())
            group.create_task(self._count())
            while True:
                self._wake.clear()
                try:
                    taken = await self.run_once()
                except Unavailable:
                    log.warning("webhooks_wait")
                    await asyncio.sleep(AWAY_PAUSE.total_seconds())
                    continue
                if not taken:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL.total_seconds())

    async def run_once(self) -> int:
        """Process one round of what is due; how many items and calls that were."""
        tried = await actions.split_left_over(self._desk)
        async with self._desk.database.begin() as transaction:
            now = self._clock.now()
            items = await store.take_items(transaction, now=now, limit=BATCH)
            if not items:
                return tried
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._process(item)) for item in items]
            processed = [task.result() for task in tasks]
            over = [outcome for outcome in processed if isinstance(outcome, ProcessedItem)]
            await store.save_items(transaction, over, at=self._clock.now())
        for item in over:
            metrics.WEBHOOK_ITEMS.labels(item.state).inc()
        for outcome in processed:
            if isinstance(outcome, Unavailable):
                # What was processed beside it is written down; the item itself waits.
                raise outcome
        return tried + len(items)

    async def _process(self, item: TakenItem) -> ProcessedItem | Unavailable:
        try:
            return await actions.process(self._desk, item)
        except Unavailable as unavailable:
            return unavailable

    async def count_dead(self) -> None:
        """Say in a metric how many calls and items wait for a person."""
        async with self._desk.database.begin() as transaction:
            counted = await dead_webhooks.count(transaction)
        for part, number in counted.items():
            metrics.WEBHOOKS_DEAD.labels(part).set(number)

    async def _count(self) -> None:
        while True:
            with suppress(Unavailable):
                await self.count_dead()
            await asyncio.sleep(COUNT_EVERY.total_seconds())

    async def _clean(self) -> None:
        while True:
            with suppress(Unavailable):
                async with self._desk.database.begin() as transaction:
                    await store.drop_old(transaction, now=self._clock.now())
            await asyncio.sleep(CLEAN_EVERY.total_seconds())
