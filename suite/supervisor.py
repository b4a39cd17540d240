"""Keeps processes alive: starts them, waits until they are healthy, starts them again.

One task per process, all in one task group. A process that ends by itself is started again after
a growing pause and named on the screen; one that never became healthy ends the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from suite.infra.program import Deadline, Program, SuiteError, kill_group, last_lines
from suite.starting import Forks, Running, execute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from suite.screen import Screen

START_WITHIN = timedelta(seconds=120)
START_ATTEMPTS = 3
"""A process that ends this often before it was ever healthy has a lasting reason."""
BAD_SETTINGS = 78
"""EX_CONFIG: a service's way to say that trying again is no use."""
HEALTH_POLL_SECONDS = 0.05
FIRST_PAUSE = timedelta(milliseconds=250)
LONGEST_PAUSE = timedelta(seconds=15)
STABLE_SECONDS = 30.0
"""Healthy for so long, a process has earned a short pause again."""
ROTATE_EVERY_SECONDS = 5.0
MAX_LOG_BYTES = 8 * 1024 * 1024


@dataclass(eq=False, kw_only=True)
class Part:
    """One supervised process."""

    program: Program
    is_healthy: Callable[[int], Awaitable[bool]]
    """Asked with the process id until it says yes."""
    watch: Callable[[], Coroutine[None, None, str]] | None = None
    """Runs beside a healthy process; returns when it must be restarted, with the reason."""
    state: str = "starting"
    process: Running | None = None
    restarts: int = 0
    is_stopping: bool = False
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The id of its live process."""
        alive = self.process and self.process.returncode is None
        return self.process.pid if self.process and alive else None

    def leave(self) -> None:
        """Ask it to finish and not to be started again."""
        self.is_stopping = True
        self.stop_asked.set()
        self.send(self.program.stop_signal)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is anybody to get it."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


class Supervisor:
    """Owns every part it was asked to start."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        screen: Screen,
        changed: Callable[[], None],
        forks: Forks | None = None,
    ) -> None:
        self._forks = forks
        self._group = group
        self._screen = screen
        self._changed = changed
        self.parts: dict[str, Part] = {}

    async def start(self, part: Part) -> float:
        """Start a part and return once it is healthy, with the seconds that took."""
        began = time.monotonic()
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parts[part.name] = part
        self._group.create_task(self._keep(part, first), name=part.name)
        await first
        return time.monotonic() - began

    async def stop(self, names: list[str], within: timedelta) -> None:
        """Ask parts to leave, all at once, and end those that have not by then."""
        parts = [self.parts[name] for name in names if name in self.parts]
        for part in parts:
            part.leave()
        # The processes themselves, not the tasks that keep them: those may have been cancelled.
        leaving = {
            self._group.create_task(part.process.wait()): part for part in parts if part.process
        }
        if not leaving:
            return
        _, late = await asyncio.wait(leaving, timeout=within.total_seconds())
        for task in late:
            self._screen.trouble(f"{leaving[task].name} did not leave in time and was ended")
            leaving[task].send(signal.SIGKILL)
        if late:
            await asyncio.wait(late)

    def end_at_once(self) -> None:
        """End everything without waiting for anything."""
        for part in self.parts.values():
            part.leave()
            part.send(signal.SIGKILL)

    async def rotate_logs(self) -> None:
        """Keep every log and its predecessor within MAX_LOG_BYTES each; runs until cancelled."""
        while True:
            await asyncio.sleep(ROTATE_EVERY_SECONDS)
            for part in self.parts.values():
                rotate(part.program.log)

    async def _keep(self, part: Part, first: asyncio.Future[None]) -> None:
        pause = FIRST_PAUSE
        first_start = Deadline(START_WITHIN)
        attempts = 0
        while not part.is_stopping:
            attempts += 1
            began = time.monotonic()
            process = await self._spawn(part)
            if await self._until_healthy(part, process):
                self._enter(part, "running")
                if not first.done():
                    first.set_result(None)
                elif part.restarts:
                    self._screen.done(f"{part.name} is back", time.monotonic() - began)
                healthy_since = time.monotonic()
                reason = await self._until_gone(part, process)
                if time.monotonic() - healthy_since > STABLE_SECONDS:
                    pause = FIRST_PAUSE
            else:
                reason = await self._give_up_on(part, process)
                hopeless = attempts >= START_ATTEMPTS or process.returncode == BAD_SETTINGS
                if not first.done() and (hopeless or first_start.is_over):
                    first.set_exception(_did_not_start(part, reason))
                    break
            # What it started itself goes with it.
            kill_group(process.pid)
            if part.is_stopping:
                break
            part.restarts += 1
            self._enter(part, "restarting")
            self._screen.trouble(
                f"{part.name} {reason}; starting it again in {pause.total_seconds():.1f} s "
                f"(log: {part.program.log})"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(part.stop_asked.wait(), pause.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)
        self._enter(part, "stopped")
        if not first.done():
            first.cancel()

    async def _spawn(self, part: Part) -> Running:
        if part.program.module and self._forks:
            process = await self._forks.fork(part.program)
        else:
            process = await execute(part.program)
        part.process = process
        self._enter(part, "starting")
        if part.is_stopping:  # asked while it was being made
            part.send(part.program.stop_signal)
        return process

    async def _until_healthy(self, part: Part, process: Running) -> bool:
        deadline = Deadline(START_WITHIN)
        while process.returncode is None and not deadline.is_over and not part.is_stopping:
            if await part.is_healthy(process.pid):
                return process.returncode is None
            await asyncio.sleep(HEALTH_POLL_SECONDS)
        return False

    async def _until_gone(self, part: Part, process: Running) -> str:
        """Wait for the end of a healthy process; says what ended it."""
        gone = self._group.create_task(process.wait())
        if part.watch is None:
            return _ending(await gone)
        watched = self._group.create_task(part.watch())
        await asyncio.wait([gone, watched], return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            watched.cancel()
            return _ending(gone.result())
        part.send(signal.SIGKILL)
        await gone
        return watched.result()

    async def _give_up_on(self, part: Part, process: Running) -> str:
        """End a process that did not become healthy, unless it has ended itself."""
        if process.returncode is None and not part.is_stopping:
            waited = int(START_WITHIN.total_seconds())
            part.send(signal.SIGKILL)
            await process.wait()
            return f"was not healthy after {waited} s"
        return _ending(await process.wait())

    def _enter(self, part: Part, state: str) -> None:
        part.state = state
        self._changed()


def rotate(log: Path) -> None:
    """Keep what was written so far as `<log>.1` and begin anew, without the writer's help.

    Writers append, so they go on at the beginning after the file was emptied.
    """
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size <= MAX_LOG_BYTES:
            return
        older = log.with_name(f"{log.name}.1")
        with log.open("r+b") as source, older.open("wb") as target:
            source.seek(-MAX_LOG_BYTES, 2)
            target.write(source.read(MAX_LOG_BYTES))
            source.truncate(0)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended by itself with code {code}"


def _did_not_start(part: Part, reason: str) -> SuiteError:
    return SuiteError(
        f"{part.name} did not start: it {reason}. The end of {part.program.log}:\n"
        f"{last_lines(part.program.log)}"
    )
