"""Writers: gather concurrent sends into group commits, so throughput follows the database.

A thread always goes to the same writer of a process. A batch forms while the previous commit is
under way, never by a timer: an idle writer takes a single draft at once.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from chassis.clock import Clock
from chassis.database import AWAY, Database, DatabaseUnavailable
from chassis.database_faults import COLLISIONS, MAYBE_AWAY
from chassis.errors import Fault, TemporarilyUnavailable
from chassis.ids import WorkspaceId
from services.messaging.actions.append import (
    ClientIdRaced,
    CommitLost,
    append_batch,
)
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.faults import TooManyWaiting
from services.messaging.store.append import AppendSession

WRITERS = 2
MAX_BATCH = 64
MAX_WAITING = 4_096
"""Drafts that wait in one writer."""
MAX_WAITING_PER_WORKSPACE = MAX_WAITING // 2
"""One workspace cannot take the whole queue."""
RETRY_AFTER = timedelta(milliseconds=200)
RECONNECT_WITHIN = timedelta(seconds=3)
RECONNECT_PAUSE = timedelta(milliseconds=100)
EXPIRE_EVERY = timedelta(milliseconds=250)
MAX_TRIES = 3


class WaitedTooLong(TemporarilyUnavailable):
    """The draft's turn did not come within its time; it was not stored."""

    def __init__(self) -> None:
        super().__init__(part="the message writer")


@dataclass(slots=True, eq=False)
class Waiting:
    """A draft in the queue, and who waits for what becomes of it."""

    workspace_id: WorkspaceId
    draft: Draft
    result: asyncio.Future[Stored]
    expires_at: float
    """On the event loop's clock."""
    traceparent: str = ""
    was_tried: bool = False
    """A commit with it was begun and its end was not seen."""

    def settle(self, outcome: Stored | Fault | BaseException) -> None:
        """Tell who waits; they may have gone."""
        if self.result.done():
            return
        if isinstance(outcome, Stored):
            if self.was_tried and outcome.replayed:
                # The commit whose answer was lost was ours: to the caller it is the first.
                outcome = Stored(outcome.message, replayed=False)
            self.result.set_result(outcome)
        else:
            self.result.set_exception(outcome)


@dataclass(slots=True, eq=False)
class WritersQueue:
    """What waits for one writer: first come first served within a workspace, turns between them."""

    lines: OrderedDict[WorkspaceId, deque[Waiting]] = field(default_factory=OrderedDict)
    count: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: list[Waiting] = field(default_factory=list)
    """The batch that is being committed."""

    def put(self, waiting: Waiting) -> None:
        """Raises: TooManyWaiting."""
        line = self.lines.get(waiting.workspace_id)
        if self.count >= MAX_WAITING or (line and len(line) >= MAX_WAITING_PER_WORKSPACE):
            raise TooManyWaiting(retry_after_ms=int(RETRY_AFTER / timedelta(milliseconds=1)))
        if line is None:
            line = self.lines[waiting.workspace_id] = deque()
        line.append(waiting)
        self.count += 1
        self.arrived.set()

    def take(self, limit: int) -> list[Waiting]:
        """The next batch: of one workspace, without those whose caller has gone."""
        while self.lines:
            workspace_id, line = next(iter(self.lines.items()))
            batch: list[Waiting] = []
            while line and len(batch) < limit:
                waiting = line.popleft()
                self.count -= 1
                if not waiting.result.done():
                    batch.append(waiting)
            if line:
                self.lines.move_to_end(workspace_id)
            else:
                del self.lines[workspace_id]
            if batch:
                return batch
        self.arrived.clear()
        return []

    def expire(self, now: float) -> None:
        """Tell those whose time is over; `take` drops them later."""
        for line in self.lines.values():
            for waiting in line:
                if waiting.expires_at <= now:
                    waiting.settle(WaitedTooLong())
        for waiting in self.under_way:
            if waiting.expires_at <= now:
                waiting.settle(DatabaseUnavailable())


class Writers:
    """The writers of one process. `run` owns their tasks; `store` may be called while it runs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        on_commit: Callable[[], None],
        on_queued: Callable[[], None] = lambda: None,
        count: int = WRITERS,
    ) -> None:
        """`database` is the app role's: row security holds for batches as for anything else.

        `on_commit` is called after each commit, `on_queued` after one with something to dispatch:
        quick wake-ups of who publishes and of who calls platforms.
        """
        self._database = database
        self._clock = clock
        self._on_commit = on_commit
        self._on_queued = on_queued
        self._queues = [WritersQueue() for _ in range(count)]

    async def run(self) -> None:
        """Write until cancelled; then tell everybody who still waits."""
        try:
            async with asyncio.TaskGroup() as group:
                for queue in self._queues:
                    group.create_task(self._write(queue))
                group.create_task(self._expire())
        finally:
            for queue in self._queues:
                while batch := queue.take(MAX_BATCH):
                    for waiting in batch:
                        waiting.settle(WaitedTooLong())

    def submit(
        self,
        workspace_id: WorkspaceId,
        draft: Draft,
        *,
        within: timedelta,
        traceparent: str = "",
    ) -> asyncio.Future[Stored]:
        """Queue a draft; never waits. The future holds what became of it, at last `within` later.

        Cancel the future to take the draft back, if its batch has not begun.
        Raises: TooManyWaiting.
        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(
            workspace_id=workspace_id,
            draft=draft,
            result=loop.create_future(),
            expires_at=loop.time() + within.total_seconds(),
            traceparent=traceparent,
        )
        # A hash that is the same in every run, so that a thread's drafts never cross.
        place = zlib.crc32(draft.conversation_id.encode()) % len(self._queues)
        self._queues[place].put(waiting)
        return waiting.result

    async def _write(self, queue: WritersQueue) -> None:
        session: AppendSession | None = None
        try:
            while True:
                await queue.arrived.wait()
                batch = queue.take(MAX_BATCH)
                if batch:
                    queue.under_way = batch
                    session = await self._store(session, batch, tries_left=MAX_TRIES)
                    queue.under_way = []
                    # Let those who were just answered queue what they have next.
                    await asyncio.sleep(0)
        finally:
            if session is not None:
                session.close()

    async def _store(
        self, session: AppendSession | None, batch: list[Waiting], *, tries_left: int
    ) -> AppendSession | None:
        """Store a batch and settle each of its drafts; returns the session to go on with."""
        try:
            session = await self._connected(session)
            outcomes = await append_batch(
                session,
                batch[0].workspace_id,
                [waiting.draft for waiting in batch],
                at=self._clock.now(),
                traceparents=[waiting.traceparent for waiting in batch],
            )
        except asyncio.CancelledError:
            _settle(batch, DatabaseUnavailable())
            if session is not None:
                session.close()
            raise
        except Exception as error:  # noqa: BLE001 - every caller in the batch is told what it was
            return await self._store_again(session, batch, error, tries_left=tries_left)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.settle(outcome)
        self._on_commit()
        if any(isinstance(outcome, Stored) and outcome.is_queued for outcome in outcomes):
            self._on_queued()
        return session

    async def _store_again(
        self,
        session: AppendSession | None,
        batch: list[Waiting],
        error: Exception,
        *,
        tries_left: int,
    ) -> AppendSession | None:
        """After a failure: the same drafts again where that can help, neighbours apart."""
        if isinstance(error, DatabaseUnavailable) or tries_left == 0:
            _settle(batch, _as_fault(error))
            return await self._usable(session)
        if session is None or _is_away(error, session):
            if session is not None:
                session.close()
            for waiting in batch:
                waiting.was_tried = True
            return await self._store(None, batch, tries_left=tries_left - 1)
        session = await self._usable(session)
        if len(batch) == 1 and not isinstance(error, (*COLLISIONS, ClientIdRaced, CommitLost)):
            _settle(batch, error)
            return session
        # Which draft it was nobody knows: halves, so that it ends up alone.
        middle = max(1, len(batch) // 2)
        for part in (batch[:middle], batch[middle:]):
            if part:
                left = tries_left - 1 if len(part) == len(batch) else tries_left
                session = await self._store(session, part, tries_left=left)
        return session

    async def _usable(self, session: AppendSession | None) -> AppendSession | None:
        if session is None or session.is_closed:
            return None
        try:
            await session.rollback()
        except (*AWAY, *MAYBE_AWAY, asyncpg.PostgresError):
            session.close()
            return None
        return session

    async def _connected(self, session: AppendSession | None) -> AppendSession:
        if session is not None and not session.is_closed:
            return session
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + RECONNECT_WITHIN.total_seconds()
        while True:
            try:
                return await AppendSession.open(self._database)
            except DatabaseUnavailable:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(RECONNECT_PAUSE.total_seconds())

    async def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(EXPIRE_EVERY.total_seconds())
            now = loop.time()
            for queue in self._queues:
                queue.expire(now)


def _settle(batch: list[Waiting], outcome: BaseException) -> None:
    for waiting in batch:
        waiting.settle(outcome)


def _is_away(error: Exception, session: AppendSession) -> bool:
    return session.is_closed or isinstance(error, (*AWAY, OSError))


def _as_fault(error: Exception) -> Exception:
    return error if isinstance(error, Fault) else DatabaseUnavailable()
