"""Writers: gather concurrent sends into group commits, so throughput follows the database.

A thread always goes to the same writer of a process. A batch forms while the previous commit is
under way, never by a timer: an idle writer takes a single draft at once.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

import asyncpg

from chassis.clock import Clock
from chassis.database import AWAY, Database, DatabaseUnavailable
from chassis.database_faults import COLLISIONS, MAYBE_AWAY
from chassis.errors import Fault, TemporarilyUnavailable
from chassis.events import Event
from chassis.ids import WorkspaceId
from services.messaging.actions.append import (
    ClientIdRaced,
    CommitLost,
    Outcome,
    Run,
    append_remembered,
    append_run,
)
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.faults import TooManyWaiting
from services.messaging.store.append import AppendSession

WRITERS = 1
"""Of a process. Two write at once but number in turns: whoever finds the log taken leaves its
events to the sequencer, which costs a commit more and is later than waiting a turn."""
MAX_RUN = 64
"""Drafts of one workspace in one commit."""
MAX_BATCH = 256
"""Drafts in one commit."""
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

    def take(self, run_limit: int, limit: int) -> list[list[Waiting]]:
        """The next batch: runs of different workspaces, without those whose caller has gone.

        A workspace whose drafts did not all fit is the last one next time.
        """
        runs: list[list[Waiting]] = []
        for workspace_id in list(self.lines):
            if limit == 0:
                break
            run = self._take_of(workspace_id, min(run_limit, limit))
            if run:
                runs.append(run)
                limit -= len(run)
        if not self.lines:
            self.arrived.clear()
        return runs

    def _take_of(self, workspace_id: WorkspaceId, limit: int) -> list[Waiting]:
        line = self.lines[workspace_id]
        run: list[Waiting] = []
        while line and len(run) < limit:
            waiting = line.popleft()
            self.count -= 1
            if not waiting.result.done():
                run.append(waiting)
        if line:
            self.lines.move_to_end(workspace_id)
        else:
            del self.lines[workspace_id]
        return run

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
        on_numbered: Callable[[Sequence[Event]], None] = lambda _: None,
        on_queued: Callable[[], None] = lambda: None,
        count: int = WRITERS,
    ) -> None:
        """`database` is the worker role's, which may number events; row security holds for batches
        as for anything else.

        `on_commit` is called after a commit into the outbox, `on_numbered` with the events of one
        that numbered them at once, `on_queued` after one with something to dispatch: quick
        wake-ups of who publishes and of who calls platforms.
        """
        self._database = database
        self._clock = clock
        self._on_commit = on_commit
        self._on_numbered = on_numbered
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
                while runs := queue.take(MAX_RUN, MAX_BATCH):
                    for run in runs:
                        _settle(run, WaitedTooLong())

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
                runs = queue.take(MAX_RUN, MAX_BATCH)
                queue.under_way = list(chain.from_iterable(runs))
                if runs:
                    session, left = await self._store_remembered(session, runs)
                    for run in left:
                        session = await self._store(session, run, tries_left=MAX_TRIES)
                    queue.under_way = []
                    # Let those who were just answered queue what they have next.
                    await asyncio.sleep(0)
        finally:
            _settle(queue.under_way, DatabaseUnavailable())
            if session is not None:
                session.close()

    async def _store_remembered(
        self, session: AppendSession | None, runs: list[list[Waiting]]
    ) -> tuple[AppendSession | None, list[list[Waiting]]]:
        """Settle the drafts that need no look at the database; returns the runs that do."""
        if session is None or session.is_closed:
            return None, runs
        try:
            results, told = await append_remembered(
                session, [_run_of(run) for run in runs], at=self._clock.now()
            )
        except Exception as error:  # noqa: BLE001 - every run is tried again by itself
            if _is_away(error, session):
                _note_tried(chain.from_iterable(runs))
            return await self._usable(session), runs
        stored = [
            self._settle_run(run, outcomes)
            for run, outcomes in zip(runs, results, strict=True)
            if outcomes is not None
        ]
        if told:
            self._on_numbered(told)
        elif stored:
            self._on_commit()
        if any(stored):
            self._on_queued()
        return session, [
            run for run, outcomes in zip(runs, results, strict=True) if outcomes is None
        ]

    async def _store(
        self, session: AppendSession | None, run: list[Waiting], *, tries_left: int
    ) -> AppendSession | None:
        """Store a run and settle each of its drafts; returns the session to go on with."""
        try:
            session = await self._connected(session)
            outcomes = await append_run(session, _run_of(run), at=self._clock.now())
        except asyncio.CancelledError:
            if session is not None:
                session.close()
            raise
        except Exception as error:  # noqa: BLE001 - every caller in the run is told what it was
            return await self._store_again(session, run, error, tries_left=tries_left)
        self._on_commit()
        if self._settle_run(run, outcomes):
            self._on_queued()
        return session

    @staticmethod
    def _settle_run(run: list[Waiting], outcomes: list[Outcome]) -> bool:
        """Tell every caller; whether there is something to dispatch."""
        for waiting, outcome in zip(run, outcomes, strict=True):
            waiting.settle(outcome)
        return any(isinstance(outcome, Stored) and outcome.is_queued for outcome in outcomes)

    async def _store_again(
        self,
        session: AppendSession | None,
        run: list[Waiting],
        error: Exception,
        *,
        tries_left: int,
    ) -> AppendSession | None:
        """After a failure: the same drafts again where that can help, neighbours apart."""
        if isinstance(error, DatabaseUnavailable) or tries_left == 0:
            _settle(run, _as_fault(error))
            return await self._usable(session)
        if session is None or _is_away(error, session):
            if session is not None:
                session.close()
            _note_tried(run)
            return await self._store(None, run, tries_left=tries_left - 1)
        session = await self._usable(session)
        if len(run) == 1 and not isinstance(error, (*COLLISIONS, ClientIdRaced, CommitLost)):
            _settle(run, error)
            return session
        # Which draft it was nobody knows: halves, so that it ends up alone.
        middle = max(1, len(run) // 2)
        for part in (run[:middle], run[middle:]):
            if part:
                left = tries_left - 1 if len(part) == len(run) else tries_left
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


def _run_of(run: list[Waiting]) -> Run:
    return Run(
        run[0].workspace_id,
        [waiting.draft for waiting in run],
        [waiting.traceparent for waiting in run],
    )


def _note_tried(run: Iterable[Waiting]) -> None:
    for waiting in run:
        waiting.was_tried = True


def _settle(run: Iterable[Waiting], outcome: BaseException) -> None:
    for waiting in run:
        waiting.settle(outcome)


def _is_away(error: Exception, session: AppendSession) -> bool:
    return session.is_closed or isinstance(error, (*AWAY, OSError))


def _as_fault(error: Exception) -> Exception:
    return error if isinstance(error, Fault) else DatabaseUnavailable()
