"""Answers to what was sent: who waits for which, over one subscription for all of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from itertools import count

from nats.aio.msg import Msg

NO_RESPONDERS = "503"
STATUS = "Status"


def status_of(message: Msg) -> str:
    """The status of a message that only tells one; else empty."""
    return (message.headers or {}).get(STATUS, "")


class Waiting:
    """Somebody who waits for answers, each with a number."""

    def __init__(self, is_complete: Callable[[dict[int, list[Msg]]], bool]) -> None:
        self.answers: dict[int, list[Msg]] = {}
        self.is_over = asyncio.Event()
        self._is_complete = is_complete

    def take(self, number: int, message: Msg) -> None:
        """Take an answer in."""
        self.answers.setdefault(number, []).append(message)
        if self._is_complete(self.answers):
            self.is_over.set()


class Answers:
    """Everybody who waits in one process."""

    def __init__(self) -> None:
        self._prefix = f"_INBOX.{secrets.token_hex(11)}"
        self._waiting: dict[str, Waiting] = {}
        self._calls = count()

    @property
    def subject(self) -> str:
        """What to subscribe to."""
        return f"{self._prefix}.*"

    def expect(self, waiting: Waiting) -> str:
        """Somebody waits; their reply subjects are this name, a dash and the answer's number."""
        name = f"{self._prefix}.{next(self._calls)}"
        self._waiting[name] = waiting
        return name

    def forget(self, name: str) -> None:
        """Nobody waits any more."""
        self._waiting.pop(name, None)

    def receive(self, message: Msg) -> None:
        """An answer came."""
        name, _, number = message.subject.rpartition("-")
        waiting = self._waiting.get(name)
        if waiting is not None and number.isdigit():
            waiting.take(int(number), message)

    def give_up(self) -> None:
        """The connection ended: what has not come will not come."""
        for waiting in self._waiting.values():
            waiting.is_over.set()
