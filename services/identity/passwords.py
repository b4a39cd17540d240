"""Passwords: Argon2 in threads of its own, never more at once than the machine can bear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import ResourceExhausted
from chassis.ids import new_secret

AT_ONCE = 2
MAX_WAITING = 64
Result = TypeVar("Result")


@dataclass(eq=False)
class TooManySignIns(ResourceExhausted):
    """More passwords wait to be checked than may."""

    retry_after_millis: int = 1000
    reason = "RATE_LIMITED"

    def __str__(self) -> str:
        return f"too many sign-ins at once; come back in {self.retry_after_millis} ms"


class Passwords:
    """Makes and checks hashes off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobodys = self._hasher.hash(new_secret())

    async def hash(self, password: str) -> str:
        """What is stored. Raises: TooManySignIns."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether it is the one; None takes as long as a wrong one. Raises: TooManySignIns."""
        return await self._in_thread(lambda: self._verify(password, hashed or self._nobodys))

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise TooManySignIns
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
