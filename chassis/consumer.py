"""Consumers: apply every event of a stream to one's own tables, each exactly once.

    consumer = Consumer(
        name="conversation-projection", stream="INBOX_MESSAGING", database=worker_database,
        bus=bus, owner=RemoteLog(messaging_channel), apply=project)
    process.supervise("projection", consumer.run)

`apply(transaction, events)` gets events of one workspace, in order; the transaction is in that
workspace. On a rebuild it gets entities in the same form (position SNAPSHOT_GPOS), so it must be
an upsert by the entities' versions; an entity of another `epoch` than the stored one's replaces
it whatever its version, because after a restore versions begin lower.

Hints are applied too, not only what the stream has: a numbered event is final, and what keeps
effects exact is the cursor in the same transaction, not the way an event came. So a projection
is as early as a browser, and a stream that is late or wiped delays nothing.

One reader works, others stand by. That is for efficiency only, see `chassis.cursor`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from chassis import cursor, metrics
from chassis.applier import AWAY, Applier, Apply
from chassis.bus import Bus
from chassis.clock import Clock, SystemClock
from chassis.cursor import Cursor, CursorMoved
from chassis.database import Database
from chassis.events import Event
from chassis.feed import AnotherLog, Feed
from chassis.logs import log
from chassis.owners_log import LogExpired, OwnersLog
from chassis.rebuild import Rebuild, RebuildInterrupted
from chassis.sequencer import Connection

MAX_BATCH = 500
SHORTEST_REST = timedelta(milliseconds=50)
LONGEST_REST = timedelta(milliseconds=500)
REST_SHARE = 9
"""Between two transactions, as a multiple of the time that the last one took: a consumer works a
tenth of the time until it is half a second behind, then as much as it must. The first event after
a quiet moment is applied at once. Sends share the machine with every consumer, and nobody waits
for one: a browser goes on from the position that a list was read at."""
STAND_BY = timedelta(seconds=1)
LOCK_CHECK = timedelta(seconds=2)
RETRY_POLL = timedelta(milliseconds=500)

ReceivedEvent = Event
"""What `apply` is given."""

TAKE_TURN = "SELECT pg_try_advisory_lock(hashtext('inbox.consumer.' || $1))"


class Consumer:
    """One reader of one stream."""

    def __init__(
        self,
        *,
        name: str,
        stream: str,
        database: Database,
        bus: Bus,
        owner: OwnersLog,
        apply: Apply,
        clock: Clock | None = None,
        is_exclusive: bool = True,
        on_rebuilt: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`name` is `<service>-<purpose>`; `database` is the worker role's.

        `on_rebuilt(epoch)` is called after a rebuild's last entity, before reading goes on: to
        sweep what the snapshot no longer has. It may be called again if it is interrupted.
        """
        self.name = name
        self._stream = stream
        self._database = database
        self._bus = bus
        self._owner = owner
        self._clock = clock or SystemClock()
        self._applier = Applier(name, stream, database, apply, self._clock)
        self._is_exclusive = is_exclusive
        self._on_rebuilt = on_rebuilt
        self.is_active = False

    async def run(self) -> None:
        """Read, or stand by, until the database connection breaks; a supervisor calls it again."""
        turn = await self._database.connect()
        try:
            while self._is_exclusive and not await turn.fetchval(TAKE_TURN, self.name):
                await self._clock.sleep(STAND_BY)
            self.is_active = True
            log.info("consumer_active", consumer=self.name)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._retry_parked())
                group.create_task(_hold(turn))
        finally:
            self.is_active = False
            turn.terminate()

    async def _read(self) -> None:
        while True:
            present = await self._stand()
            if present is None:
                await self._rebuild(None)
                continue
            try:
                await self._follow(present)
            except CursorMoved:
                log.warning("consumer_overtaken", consumer=self.name)
                await self._clock.sleep(RETRY_POLL)
            except (LogExpired, AnotherLog) as reason:
                await self._rebuild(present, reason=type(reason).__name__)

    async def _follow(self, present: Cursor) -> None:
        """Apply what follows the cursor. Raises: CursorMoved, LogExpired, AnotherLog."""
        feed = Feed(
            self._bus,
            self._stream,
            self._owner,
            log_epoch=present.log_epoch,
            gpos=present.gpos,
            clock=self._clock,
        )
        async with feed:
            loop = asyncio.get_running_loop()
            while True:
                events = await feed.next()
                began = loop.time()
                for start in range(0, len(events), MAX_BATCH):
                    await self._applier.persist(events[start : start + MAX_BATCH])
                if len(events) < MAX_BATCH:
                    await asyncio.sleep(_rest_after(loop.time() - began))

    async def _retry_parked(self) -> None:
        while True:
            await self._clock.sleep(RETRY_POLL)
            with contextlib.suppress(*AWAY):
                while await self._applier.retry_one():
                    pass

    async def _rebuild(self, before: Cursor | None, *, reason: str = "new") -> None:
        log.warning("consumer_rebuilding", consumer=self.name, reason=reason)
        metrics.CONSUMER_REBUILDS.labels(self.name).inc()
        rebuild = Rebuild(
            self.name,
            self._stream,
            self._database,
            self._owner,
            self._applier.apply_all,
            self._clock,
        )
        try:
            await rebuild.run(before, self._on_rebuilt)
        except (RebuildInterrupted, CursorMoved) as again:
            log.warning("consumer_rebuild_interrupted", consumer=self.name, exc_info=again)
            await self._clock.sleep(RETRY_POLL)

    async def _stand(self) -> Cursor | None:
        async with self._database.begin() as transaction:
            return await cursor.load(transaction, self.name)


def _rest_after(worked_seconds: float) -> float:
    """In seconds."""
    shortest, longest = SHORTEST_REST.total_seconds(), LONGEST_REST.total_seconds()
    return min(max(worked_seconds * REST_SHARE, shortest), longest)


async def _hold(turn: Connection) -> None:
    """Notice when the connection that holds the turn is lost."""
    while True:
        await asyncio.sleep(LOCK_CHECK.total_seconds())
        await turn.execute("SELECT 1")
