"""Real servers that a test may kill, stall, wipe and start again under load."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from suite.infra.nats import NatsServer, prepare_nats, wait_for_nats, wipe_store
from suite.infra.ports import free_port
from suite.infra.postgres import PostgresServer, prepare_postgres, wait_for_postgres
from suite.infra.program import Program, start, stop

Result = TypeVar("Result")
STOP_WITHIN = timedelta(seconds=10)


class Breakable:
    """A server process; its calls block, `in_thread` runs them beside an event loop."""

    def __init__(self, program: Program, wait: Callable[[subprocess.Popen[bytes]], None]) -> None:
        self._program = program
        self._wait = wait
        self._process: subprocess.Popen[bytes] | None = None
        # A program dies with the thread that started it, so one thread starts them all.
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def start(self) -> None:
        self._thread.submit(self._start).result()

    def kill(self) -> None:
        """As in a crash: no goodbye."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stall(self) -> None:
        """Everything stays connected and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self.resume()
            stop(self._process, self._program, within=STOP_WITHIN)
        self._thread.shutdown()

    def _signal_all(self, number: signal.Signals) -> None:
        """PostgreSQL's children lead groups of their own."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for target in (pid, *map(int, children)):
            os.kill(target, number)

    def _start(self) -> None:
        self._process = start(self._program)
        self._wait(self._process)


class BreakablePostgres(Breakable):
    """PostgreSQL with fsync, so that a kill loses nothing it acknowledged."""

    def __init__(self, directory: Path) -> None:
        self.server: PostgresServer = prepare_postgres(
            directory, port=free_port(), password=secrets.token_urlsafe(12)
        )
        log = directory / "postgres.log"
        super().__init__(
            self.server.program(log), lambda process: wait_for_postgres(self.server, process, log)
        )

    def kill(self) -> None:
        """Kill the postmaster; its children notice and leave, as after an immediate stop."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()


class BreakableNats(Breakable):
    """nats-server with JetStream."""

    def __init__(self, directory: Path) -> None:
        self.server: NatsServer = prepare_nats(directory, port=free_port())
        log = directory / "nats.log"
        super().__init__(
            self.server.program(log), lambda process: wait_for_nats(self.server, process, log)
        )

    def wipe(self) -> None:
        """Lose the whole store; the server must be down."""
        wipe_store(self.server)


@contextmanager
def breakable_postgres(directory: Path) -> Iterator[BreakablePostgres]:
    postgres = BreakablePostgres(directory)
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.close()


@contextmanager
def breakable_nats(directory: Path) -> Iterator[BreakableNats]:
    server = BreakableNats(directory)
    try:
        server.start()
        yield server
    finally:
        server.close()
