"""The whole of Inbox as a user starts it, with what storms and benchmarks do to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from suite.infra.ports import free_port
from tests.system.running import RunningSuite, dev


@dataclass(frozen=True)
class Process:
    """One running process of the suite."""

    name: str
    service: str
    """The name without the replica's number."""
    pid: int
    address: str
    restarts: int


class RunningInbox(RunningSuite):
    """A running suite, its processes and its keys."""

    def __init__(self, data: Path, *options: str) -> None:
        super().__init__(data, free_port(), *options)
        self._keys: dict[str, str] = {}

    @property
    def url(self) -> str:
        """The front door."""
        return f"http://localhost:{self.port}"

    @property
    def grpc_target(self) -> str:
        """Where teams call gRPC: the same port."""
        return f"localhost:{self.port}"

    def processes(self) -> list[Process]:
        """Every process that has a pid right now."""
        ports: dict[str, int] = json.loads((self.data / "ports.json").read_text())
        return [
            Process(
                name=name,
                service=re.sub(r"-\d+$", "", name),
                pid=row["pid"],
                address=f"127.0.0.1:{row.get('port') or ports.get(name, 0)}",
                restarts=row["restarts"],
            )
            for name, row in self.run["processes"].items()
            if row["pid"]
        ]

    def kill(self, name: str) -> None:
        """kill -9, as if the power went for this one."""
        for process in self.processes():
            if process.name == name:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)

    def key(self, role: str = "owner") -> str:
        """An API key of the demo workspace."""
        if role not in self._keys:
            printed = dev("key", "--role", role, "--data", str(self.data))
            assert printed.returncode == 0, printed.stderr
            self._keys[role] = printed.stdout.split()[-1]
        return self._keys[role]

    def wipe_nats_store(self) -> None:
        """Kill NATS and delete everything it ever stored."""
        self.kill("nats")
        shutil.rmtree(self.data / "nats" / "jetstream", ignore_errors=True)


@contextlib.contextmanager
def running_inbox(data: Path, *options: str) -> Iterator[RunningInbox]:
    """Everything up for the length of a block."""
    inbox = RunningInbox(data, *options)
    try:
        inbox.wait_ready()
        yield inbox
    finally:
        if inbox.process.poll() is None:
            inbox.stop()
