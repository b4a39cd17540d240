"""One `./dev up` with the web client, and what a person would read off its last line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from suite.infra.ports import free_port
from suite.settings import python_environment

READY = re.compile(
    r"Inbox is ready: (\S+)\s+customers' chat page: (\S+)(?:\s+simulated phone: (\S+))?"
)
READY_SECONDS = 150.0
LEAVES_SECONDS = 20.0
POLL_SECONDS = 0.1
CALL_SECONDS = 10.0


@dataclass(frozen=True)
class System:
    """Where everything is."""

    sign_in_url: str
    chat_url: str
    phone_url: str

    @property
    def url(self) -> str:
        """The front door."""
        parts = urlsplit(self.sign_in_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def channel_id(self) -> str:
        """The chat box's channel."""
        return self.chat_url.rsplit("/", 1)[-1]

    def phone_writes(self, customer: str, text: str) -> None:
        """A customer on the simulated platform writes."""
        path = f"/simulator/phone/demo/{customer}/messages"
        _call("POST", self.url + path, {"text": text, "name": customer.capitalize()})

    def phone_looks(self, customer: str) -> None:
        """They look at what came."""
        _call("POST", f"{self.url}/simulator/phone/demo/{customer}/seen", {})

    def switch(self, **switches: Any) -> None:
        """Change what goes wrong on the simulated platform."""
        _call("PATCH", f"{self.url}/simulator/control/accounts/demo/switches", switches)


def _call(method: str, url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
        answer.read()


@contextmanager
def running_system(folder: Path) -> Iterator[System]:
    """A system that is ready, for the length of a block."""
    screen = folder / "screen.txt"
    arguments = ("up", "--data", str(folder / "data"), "--port", str(free_port()))
    with screen.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "suite", *arguments],
            env=python_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _wait_ready(process, screen)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LEAVES_SECONDS)


def _wait_ready(process: subprocess.Popen[bytes], screen: Path) -> System:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        found = READY.search(screen.read_text(errors="replace"))
        if found:
            return System(found[1], found[2], found[3] or "")
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the system did not start:\n{screen.read_text(errors='replace')}")
        time.sleep(POLL_SECONDS)
