"""Short work that nobody waits for, with an owner, a bound, and a line in the log when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

from chassis.logs import log
from chassis.tasks import pause_after

if TYPE_CHECKING:
    from types import TracebackType

MAX_JOBS = 8192


class TooManyJobs(Exception):
    """More is under way than this process should hold."""


class Jobs:
    """Owns tasks; leaving the block ends those that are still running."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it in the background. Raises: TooManyJobs."""
        if len(self._tasks) >= MAX_JOBS:
            work.close()
            raise TooManyJobs
        return self._own(name, _logged(name, work))

    def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Do it until cancelled, again after each failure."""
        return self._own(name, _kept(name, run))

    def _own(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _logged(name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - one socket's job must not end the others
        log.error("job_failed", job=name, exc_info=error)


async def _kept(name: str, run: Callable[[], Awaitable[None]]) -> None:
    failures = 0
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - as above; it is begun again
            failures += 1
            log.error("job_failed", job=name, failures=failures, exc_info=error)
        await asyncio.sleep(pause_after(max(failures, 1)).total_seconds())
