"""The whole of Inbox as a person starts it, its screen, its processes and its keys."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration

from inbox.messaging import v1 as messaging_v1
from inbox_client import Inbox
from suite.datafolder import DataFolder
from suite.infra.ports import free_port
from suite.infra.program import Program, start
from suite.settings import ROOT, python_environment

READY = re.compile(r"Inbox is ready: (\S+)(?:\s+customers' chat page: (\S+))?")
READY_SECONDS = 90.0
BUILT_SECONDS = 150.0
"""When it builds the web client first."""
LEAVES_SECONDS = 10.0
"""The promise for Ctrl-C and SIGTERM."""
COMMAND_SECONDS = 60.0
PEOPLE = messaging_v1.CONVERSATION_MODE_MANUAL
AI = messaging_v1.CONVERSATION_MODE_AI
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """One running process of the suite."""

    name: str
    service: str
    """The name without the replica's number."""
    pid: int
    address: str
    restarts: int


@dataclass(frozen=True)
class Links:
    """The last line of a start."""

    sign_in: str
    chat: str
    """Empty without a demo workspace."""


class RunningInbox:
    """One `./dev up` on one data folder; it leaves when the test process is gone."""

    def __init__(self, data: Path, *options: str, with_web: bool = False) -> None:
        self.data = data
        self.port = free_port()
        self._ready_seconds = BUILT_SECONDS if with_web else READY_SECONDS
        self._keys: dict[str, str] = {}
        data.parent.mkdir(parents=True, exist_ok=True)
        self._output = data.parent / f"screen-{self.port}.txt"
        web = () if with_web else ("--no-web",)
        up = command("up", "--data", str(data), "--port", str(self.port), *web, *options)
        self.process = start(
            Program(
                name="inbox", argv=tuple(up), log=self._output, environment=python_environment()
            )
        )

    @property
    def url(self) -> str:
        """The front door."""
        return f"http://localhost:{self.port}"

    @property
    def grpc_target(self) -> str:
        """Where teams call gRPC: the same port."""
        return f"localhost:{self.port}"

    @property
    def screen(self) -> str:
        return self._output.read_text(errors="replace")

    @property
    def links(self) -> Links:
        found = READY.search(self.screen)
        assert found is not None
        return Links(found[1], found[2] or "")

    @property
    def run(self) -> dict[str, Any]:
        return DataFolder(self.data).read_run() or {}

    def processes(self) -> list[Process]:
        """Every process that has a pid right now."""
        return [
            Process(
                name=name,
                service=re.sub(r"-\d+$", "", name),
                pid=row["pid"],
                address=f"127.0.0.1:{row['port']}",
                restarts=row["restarts"],
            )
            for name, row in self.run["processes"].items()
            if row["pid"]
        ]

    def pid_of(self, name: str) -> int:
        pid = self.run["processes"][name]["pid"]
        assert isinstance(pid, int)
        return pid

    def key(self, role: str = "owner") -> str:
        """An API key of the demo workspace."""
        if role not in self._keys:
            printed = dev("key", "--role", role, "--data", str(self.data))
            assert printed.returncode == 0, printed.stderr
            self._keys[role] = printed.stdout.split()[-1]
        return self._keys[role]

    def is_answered_by(
        self,
        mode: messaging_v1.ConversationMode.ValueType,
        *,
        resume_ai_after: timedelta = timedelta(minutes=15),
    ) -> None:
        """Who answers in the demo's new conversations: its AI, until somebody says otherwise."""
        span = Duration()
        span.FromTimedelta(resume_ai_after)
        with Inbox(self.grpc_target, self.key()) as inbox:
            inbox.messaging.UpdateMessagingSettings(
                messaging_v1.UpdateMessagingSettingsRequest(default_mode=mode, resume_ai_after=span)
            )

    def wait_ready(self) -> None:
        self.wait_for(READY, self._ready_seconds)

    def wait_for(self, pattern: str | re.Pattern[str], seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.screen):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the screen never showed {pattern!r}:\n{self.screen}")
            time.sleep(POLL_SECONDS)

    def kill(self, name: str) -> None:
        """kill -9, as if the power went for this one."""
        for process in self.processes():
            if process.name == name:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)

    def wipe_nats_store(self) -> None:
        """Kill NATS and delete everything it ever stored."""
        self.kill("nats")
        shutil.rmtree(self.data / "nats" / "jetstream", ignore_errors=True)

    def stop(self) -> tuple[int, float]:
        """Ask it to leave; its exit code and how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LEAVES_SECONDS * 3)
        return code, time.monotonic() - began


@contextlib.contextmanager
def running_inbox(data: Path, *options: str, with_web: bool = False) -> Iterator[RunningInbox]:
    """Everything up for the length of a block."""
    inbox = RunningInbox(data, *options, with_web=with_web)
    try:
        inbox.wait_ready()
        yield inbox
    finally:
        if inbox.process.poll() is None:
            inbox.stop()


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
        timeout=COMMAND_SECONDS,
        check=False,
    )
