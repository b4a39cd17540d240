"""Background loops with an owner: started again with back-off, counted, part of readiness."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from chassis import metrics
from chassis.clock import Clock, SystemClock
from chassis.logs import log

FIRST_PAUSE = timedelta(milliseconds=100)
LONGEST_PAUSE = timedelta(seconds=15)
STEADY_AFTER = timedelta(seconds=60)
"""A run that lasted this long forgets earlier failures."""
END_WITHIN = timedelta(seconds=1)


class Supervisor:
    """Owns the background loops of a process; leaving the block ends them all.

    async with Supervisor() as supervisor:
        supervisor.supervise("relay", relay.run)
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        await self._group.__aexit__(kind, error, trace)

    def supervise(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep `run` running; when it raises or returns, start it again after a pause."""
        self._own(name, self._keep_running(name, run))

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run once. An exception of it ends the process: for work that must not fail."""
        self._own(name, self._run_once(run))

    async def stop(self) -> None:
        """End every loop and wait for their last words, so that what they use can be closed."""
        self._is_stopping = True
        ending = set(self._tasks)
        for task in ending:
            task.cancel()
        if ending:
            _, late = await asyncio.wait(ending, timeout=END_WITHIN.total_seconds())
            for task in late:
                log.warning("task_does_not_end", task=task.get_name())

    def _own(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _run_once(run: Callable[[], Awaitable[None]]) -> None:
        await run()

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        # Some libraries swallow a cancellation; the loop must end all the same.
        while not self._is_stopping:
            began = self._clock.monotonic()
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - this is where loops of all kinds restart
                log.warning("task_failed", task=name, failures=failures + 1, exc_info=error)
            else:
                log.info("task_ended", task=name)
            metrics.TASK_FAILURES.labels(name).inc()
            steady = self._clock.monotonic() - began >= STEADY_AFTER.total_seconds()
            failures = 1 if steady else failures + 1
            await self._clock.sleep(pause_after(failures))


def pause_after(
    failures: int, *, first: timedelta = FIRST_PAUSE, longest: timedelta = LONGEST_PAUSE
) -> timedelta:
    """How long to wait after that many failures in a row: doubling up to a cap, with jitter."""
    ceiling: timedelta = min(first * 2 ** min(failures - 1, 16), longest)
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreading load is no secret
