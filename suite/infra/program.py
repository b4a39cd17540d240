"""Programs that the suite starts: how each begins, where its output goes, how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from suite.settings import python_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LAUNCH = Path(__file__).with_name("launch.py")
POLL_SECONDS = 0.01
TAIL_BYTES = 16 * 1024


class SuiteError(Exception):
    """Something a person has to know or do; the text is shown as it stands."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process as data."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    module: tuple[str, ...] = ()
    """A Python module of ours with its arguments, where `argv` runs one: it may be forked."""
    directory: Path | None = None
    user: str | None = None
    """Run as this user (needs root)."""
    stop_signal: signal.Signals = signal.SIGTERM
    """What asks it to finish its work and leave."""
    inherit: tuple[int, ...] = ()
    """File descriptors it keeps open as long as it lives."""

    def launch_arguments(self) -> list[str]:
        """The command line that starts it as a child of this process."""
        return [
            python_program(),
            "-I",
            "-S",
            str(LAUNCH),
            str(os.getpid()),
            str(int(self.stop_signal)),
            self.user or "-",
            str(self.directory) if self.directory else "-",
            *self.argv,
        ]


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start it in its own process group, output appended to its log.

    Call it from a thread that lives as long as the program should: Linux ties the death
    signal to the thread.
    """
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            program.launch_arguments(),
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=program.inherit,
        )


def wait_until_ready(
    name: str,
    is_ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    log: Path,
    within: timedelta,
) -> None:
    """Return once it is. Raises: SuiteError, with the end of its log."""
    deadline = Deadline(within)
    while not is_ready():
        if process.poll() is not None:
            raise SuiteError(f"{name} did not start; its last lines:\n{last_lines(log)}")
        if deadline.is_over:
            raise SuiteError(
                f"{name} was not ready after {int(within.total_seconds())} s; "
                f"its last lines:\n{last_lines(log)}"
            )
        pause()


def stop(process: subprocess.Popen[bytes], program: Program, *, within: timedelta) -> bool:
    """Ask it to leave; end its whole group when it has not by then. True if it left by itself."""
    left_by_itself = True
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(program.stop_signal)
        try:
            process.wait(within.total_seconds())
        except subprocess.TimeoutExpired:
            left_by_itself = False
    kill_group(process.pid)
    process.wait()
    return left_by_itself


def kill_group(group: int) -> None:
    """End whatever is left of a process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, to show beside a failure."""
    if not log.exists():
        return "(it wrote nothing)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return "\n".join(lines) or "(it wrote nothing)"


class Deadline:
    """A wait's bound, on the monotonic clock."""

    def __init__(self, within: timedelta) -> None:
        self._end = time.monotonic() + within.total_seconds()

    @property
    def is_over(self) -> bool:
        """Whether the wait has lasted long enough."""
        return time.monotonic() >= self._end

    @property
    def left(self) -> timedelta:
        """What is left of the wait, never below zero."""
        return timedelta(seconds=max(0.0, self._end - time.monotonic()))


def pause() -> None:
    """One short step of a wait that has to look again and again."""
    time.sleep(POLL_SECONDS)
