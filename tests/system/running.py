"""A `./dev up` of a test's own, as a person would start it, and its screen."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from suite.datafolder import DataFolder
from suite.infra.ports import free_port
from suite.settings import ROOT, python_environment

READY = re.compile(r"Inbox is ready: (\S+)")
READY_SECONDS = 90.0
LEAVES_SECONDS = 10.0
"""The promise for Ctrl-C and SIGTERM."""
POLL_SECONDS = 0.05


class RunningSuite:
    """One start on one data folder."""

    def __init__(self, data: Path, port: int, *options: str) -> None:
        self.data = data
        self.port = port
        data.parent.mkdir(parents=True, exist_ok=True)
        self._output = data.parent / f"screen-{port}.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command("up", "--data", str(data), "--port", str(port), "--no-web", *options),
                env=python_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def screen(self) -> str:
        return self._output.read_text(errors="replace")

    @property
    def run(self) -> dict[str, Any]:
        return DataFolder(self.data).read_run() or {}

    def pid_of(self, name: str) -> int:
        pid = self.run["processes"][name]["pid"]
        assert isinstance(pid, int)
        return pid

    def wait_ready(self) -> str:
        """The address on the last line of the start."""
        self.wait_for(READY)
        found = READY.search(self.screen)
        assert found is not None
        return found[1]

    def wait_for(self, pattern: str | re.Pattern[str], seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.screen):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the screen never showed {pattern!r}:\n{self.screen}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> tuple[int, float]:
        """Ask it to leave; its exit code and how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LEAVES_SECONDS * 3)
        return code, time.monotonic() - began


def command(*arguments: str) -> list[str]:
    """`./dev ARGUMENTS` in the environment the tests run in."""
    return [sys.executable, "-P", "-m", "suite", *arguments]


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=python_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running_suite(data: Path, *options: str) -> Iterator[RunningSuite]:
    """A suite that is ready, for the length of a block."""
    suite = RunningSuite(data, free_port(), *options)
    try:
        suite.wait_ready()
        yield suite
    finally:
        if suite.process.poll() is None:
            suite.stop()
