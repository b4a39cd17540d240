"""One watcher: what waits for it, and what becomes of one that reads too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import ResourceExhausted

MAX_FRAMES = 8_192
MAX_BYTES = 16 * 2**20
MAX_CHUNK_BYTES = 2**20
"""One message of the stream; events larger than that travel alone."""


@dataclass(eq=False)
class WatcherTooSlow(ResourceExhausted):
    """What waits for the watcher has reached its bound."""

    reason = "TOO_SLOW"

    def __str__(self) -> str:
        return (
            f"the watcher is {MAX_FRAMES} frames or {MAX_BYTES} bytes behind; "
            f"watch again from the last position received"
        )


class Recipient(Protocol):
    """Whom a room tells what happens."""

    def offer(self, chunk: bytes, frames: int) -> bool:
        """Queue frames; never waits. False when it is too slow: it gets no more."""
        ...

    def offer_presence(self, about: str, chunk: bytes) -> None:
        """Queue the newest word about somebody, in place of an older one."""
        ...


class Watcher:
    """A bounded queue of chunks; each chunk is some serialised frames of a WatchResponse."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._presence: dict[str, bytes] = {}
        """The newest word about each member or customer; older ones are worth nothing."""
        self._frames = 0
        self._size = 0
        self._is_too_slow = False
        self._news = asyncio.Event()

    def offer(self, chunk: bytes, frames: int) -> bool:
        """Queue frames; never waits. False when the watcher is too slow: it gets no more."""
        if self._is_too_slow:
            return False
        if self._chunks and (
            self._frames + frames > MAX_FRAMES or self._size + len(chunk) > MAX_BYTES
        ):
            self._is_too_slow = True
            self._chunks.clear()
            self._presence.clear()
        else:
            self._chunks.append(chunk)
            self._frames += frames
            self._size += len(chunk)
        self._news.set()
        return not self._is_too_slow

    def offer_presence(self, about: str, chunk: bytes) -> None:
        """Queue the newest word about somebody, in place of an older one."""
        if not self._is_too_slow:
            self._presence.pop(about, None)
            self._presence[about] = chunk
            self._news.set()

    async def take(self) -> list[bytes]:
        """Wait for what has gathered, as messages of a bearable size. Raises: WatcherTooSlow."""
        while not self._chunks and not self._presence:
            if self._is_too_slow:
                raise WatcherTooSlow
            self._news.clear()
            await self._news.wait()
        chunks = [*self._chunks, *self._presence.values()]
        self._chunks.clear()
        self._presence.clear()
        self._frames = self._size = 0
        return [message for message, _ in packed(chunks)]


def packed(chunks: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """Join chunks into messages of a bearable size, with the number of chunks in each.

    A WatchResponse is nothing but its frames one after the other.
    """
    messages: list[tuple[bytes, int]] = []
    start = size = 0
    for end, chunk in enumerate(chunks):
        if end > start and size + len(chunk) > MAX_CHUNK_BYTES:
            messages.append((b"".join(chunks[start:end]), end - start))
            start, size = end, 0
        size += len(chunk)
    if chunks:
        messages.append((b"".join(chunks[start:]), len(chunks) - start))
    return messages
