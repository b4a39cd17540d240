"""The relay of one publishing service: numbers its events, tells them at once, publishes them.

Once numbered and committed, an event and its position are final. It then goes out twice: as a
live hint that nothing waits for, and fenced into the stream. Numbering goes on while the previous
events are being published.

One relay of a service works, the others stand by; that is for efficiency only. Two at once, or
one that is killed anywhere, do no harm: `chassis.publisher` says why.

    relay = Relay(worker_database, bus, "INBOX_MESSAGING")
    process.supervise("relay", relay.run)
    transaction.after_commit(relay.wake)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from chassis import hints, metrics, sequencer
from chassis.bus import Bus, BusUnavailable
from chassis.clock import Clock, SystemClock
from chassis.database import AWAY, Database, DatabaseUnavailable
from chassis.events import Event
from chassis.logs import log
from chassis.messages import Outgoing
from chassis.publisher import Publisher
from chassis.stream import KEPT_FOR, EventStream

GATHER = timedelta(milliseconds=3)
"""Between two steps of the sequencer; a step for each commit would cost more than the commits."""
POLL = timedelta(milliseconds=200)
"""How soon events are found whose wake-up was lost."""
STAND_BY = timedelta(seconds=1)
"""How often a replica asks whether its turn has come."""
MAX_TAKEN = 2_000
"""Events whose hints wait for NATS; of more, readers learn from the stream."""
TIDY_EVERY = timedelta(minutes=10)
TIDY_BATCH = 2_000
TIDY_PAUSE = timedelta(milliseconds=50)

TAKE_TURN = "SELECT pg_try_advisory_lock(hashtext('inbox.relay'))"

FORGET = """
DELETE FROM events WHERE gpos < least($2, (
    SELECT coalesce(min(gpos) FILTER (WHERE create_time >= $1), max(gpos) + 1)
    FROM (SELECT gpos, create_time FROM events ORDER BY gpos LIMIT $3) AS oldest
))
"""
"""Only from the beginning, so the log stays dense, and only what the stream has too."""


class Relay:
    """Numbers and publishes the events of one service database."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        stream: str,
        *,
        clock: Clock | None = None,
        stream_replicas: int = 1,
        is_exclusive: bool = True,
    ) -> None:
        """`database` is the worker role's. Tests of the fence run several at once."""
        self._database = database
        self._bus = bus
        self._stream = EventStream(bus, stream, replicas=stream_replicas)
        self._clock = clock or SystemClock()
        self._is_exclusive = is_exclusive
        self._wake = asyncio.Event()
        self._taken: list[Event] = []
        self._has_taken = asyncio.Event()
        self._nudge_subject = f"inbox.wake.{self._stream.domain}"
        self.publisher = Publisher(database, bus, self._stream)
        self.is_active = False

    def wake(self) -> None:
        """Something was committed into the outbox; for `Transaction.after_commit`."""
        self._wake.set()

    def take(self, events: Sequence[Event]) -> None:
        """Tell events that their writer numbered; for right after its commit, which never waits.

        The working relay publishes them at once if it is this one, else when it next looks.
        """
        metrics.RELAY_SEQUENCED.labels(self._stream.name).inc(len(events))
        if self.is_active:
            self.publisher.offer(events)
        if len(self._taken) + len(events) <= MAX_TAKEN:
            self._taken += events
            self._has_taken.set()

    async def tell_taken(self) -> None:
        """Send the hints of what was taken, for ever, whether it is this relay's turn or not."""
        while True:
            await self._has_taken.wait()
            self._has_taken.clear()
            events, self._taken = self._taken, []
            await self._hint(events)

    def missing(self) -> str | None:
        """For readiness: why the stream and the database do not belong together.

        NATS being away or full is none of that: what is committed waits here, and sends go on. An
        event that was refused often is told by a metric and the log, and by `publisher.trouble`.
        """
        return self.publisher.refusal

    async def run(self) -> None:
        """Work or stand by until the database connection breaks; a supervisor calls it again."""
        connection = await self._database.connect()
        try:
            await sequencer.prepare(connection)
            await self._stand_by(connection)
            await self._work(connection)
        except (*AWAY, OSError, asyncpg.InterfaceError) as away:
            raise DatabaseUnavailable from away
        finally:
            connection.terminate()

    async def _stand_by(self, connection: sequencer.Connection) -> None:
        """Wait for the turn; meanwhile tell the working replica what was committed here."""
        while self._is_exclusive and not await connection.fetchval(TAKE_TURN):
            try:
                async with asyncio.timeout(STAND_BY.total_seconds()):
                    while True:
                        await self._wake.wait()
                        self._wake.clear()
                        await self._nudge()
            except TimeoutError:
                continue

    async def _nudge(self) -> None:
        try:
            await self._bus.publish(Outgoing(self._nudge_subject))
        except BusUnavailable:
            return  # it polls too

    async def _work(self, connection: sequencer.Connection) -> None:
        self.is_active = True
        metrics.RELAY_ACTIVE.labels(self._stream.name).set(1)
        log.info("relay_active", stream=self._stream.name)
        nudges = await self._bus.subscribe(self._nudge_subject, lambda _: self._wake.set())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sequence(connection))
                group.create_task(self.publisher.run())
                group.create_task(self._tidy())
        finally:
            self.is_active = False
            metrics.RELAY_ACTIVE.labels(self._stream.name).set(0)
            await self._bus.unsubscribe(nudges)

    async def _sequence(self, connection: sequencer.Connection) -> None:
        loop = asyncio.get_running_loop()
        began = 0.0
        while True:
            # An event after a quiet moment is numbered at once, a stream of them in batches.
            await asyncio.sleep(max(0.0, began + GATHER.total_seconds() - loop.time()))
            began = loop.time()
            self._wake.clear()
            events = await sequencer.sequence(connection)
            if events:
                metrics.RELAY_SEQUENCED.labels(self._stream.name).inc(len(events))
                # The stream first: its publish is then under way while the hints are written.
                self.publisher.offer(events)
                await self._hint(events)
            # What is committed from here on wakes, or is seen by polling.
            if not sequencer.may_leave_some(events):
                await self._wait_for_work(connection)

    async def _wait_for_work(self, connection: sequencer.Connection) -> None:
        """Until something was committed here or, seen by polling, elsewhere."""
        while True:
            try:
                async with asyncio.timeout(POLL.total_seconds()):
                    await self._wake.wait()
            except TimeoutError:
                stand = await sequencer.stand(connection)
                # Numbered by a relay that did not live to publish them.
                self.publisher.note_newest(stand.last_gpos)
                if stand.has_waiting:
                    return
            else:
                return

    async def _hint(self, events: Sequence[Event]) -> None:
        """Tell events to whoever listens now; a lost hint shows as a hole and is filled."""
        try:
            await self._bus.publish(*hints.hints_of(self._stream.domain, events))
        except BusUnavailable:
            return

    async def _tidy(self) -> None:
        """Forget events that are older than consumers may lag behind, and published."""
        while True:
            await self._clock.sleep(TIDY_EVERY)
            while await self._forget_some():
                await self._clock.sleep(TIDY_PAUSE)

    async def _forget_some(self) -> bool:
        """Delete the oldest events if they are old enough; whether there may be more."""
        published = self.publisher.published_gpos
        if published is None:
            return False
        oldest_kept = self._clock.now() - KEPT_FOR
        async with self._database.begin() as transaction:
            done = await transaction.raw.execute(FORGET, oldest_kept, published + 1, TIDY_BATCH)
        return done == f"DELETE {TIDY_BATCH}"
