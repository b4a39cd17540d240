"""What waits for one gateway, of all the workspaces it watches: one bound for them together.

A gateway reads one stream, so when it reads too slowly it does so for all of them at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chassis.errors import ResourceExhausted
from services.realtime.model.watcher import packed

MAX_BYTES = 64 * 2**20
"""Some 60,000 messages; what a longer burst brings is read again from the past."""
ROOM_BYTES = 8 * 2**20
"""Who catches up adds nothing above this: it may bring a room's whole memory at once."""


@dataclass(eq=False)
class GatewayTooSlow(ResourceExhausted):
    """What waits for the gateway has reached its bound."""

    reason = "TOO_SLOW"

    def __str__(self) -> str:
        return (
            f"the gateway is {MAX_BYTES} bytes behind; "
            f"watch each workspace again from the last position received"
        )


class Bundle:
    """The shares that have something to say, and how much it is."""

    def __init__(self) -> None:
        self._waiting: dict[Share, None] = {}
        """In the order in which they had news."""
        self._size = 0
        self._is_too_slow = False
        self._news = asyncio.Event()
        self._taken = asyncio.Event()

    def add(self, share: Share, size_bytes: int) -> bool:
        """A share has more to say; False when the gateway is too slow: it gets no more."""
        if self._size + size_bytes > MAX_BYTES:
            self._is_too_slow = True
            self._waiting.clear()
        if not self._is_too_slow:
            self._waiting[share] = None
            self._size += size_bytes
        self._news.set()
        return not self._is_too_slow

    def drop(self, share: Share) -> None:
        """The gateway does not need it any more."""
        if share in self._waiting:
            del self._waiting[share]
            self._size -= sum(map(len, share.take()))

    def wake(self) -> None:
        """Let whoever takes look around."""
        self._news.set()

    async def take(self) -> list[tuple[int, bytes]]:
        """Wait for news; refs and frames of a bearable size, none when it was only woken.

        Raises: GatewayTooSlow.
        """
        if not self._waiting:
            await self._news.wait()
        self._news.clear()
        if self._is_too_slow:
            raise GatewayTooSlow
        waiting, self._waiting, self._size = self._waiting, {}, 0
        self._taken.set()
        return [(share.ref, frames) for share in waiting for frames in share.take()]

    async def wait_for_room(self) -> None:
        """Until little enough waits for more to be read from the past."""
        while self._size > ROOM_BYTES:
            self._taken.clear()
            await self._taken.wait()


class Share:
    """One workspace's part of a bundle: to its room a watcher like any other."""

    __slots__ = ("_bundle", "_chunks", "_presence", "ref")

    def __init__(self, bundle: Bundle, ref: int) -> None:
        self.ref = ref
        """What the gateway calls it."""
        self._bundle = bundle
        self._chunks: list[bytes] = []
        self._presence: dict[str, bytes] = {}
        """The newest word about each member or customer; older ones are worth nothing."""

    def offer(self, chunk: bytes, frames: int) -> bool:  # noqa: ARG002 - bytes alone are counted
        """Queue frames; never waits. False when the gateway is too slow."""
        if not self._bundle.add(self, len(chunk)):
            return False
        self._chunks.append(chunk)
        return True

    def offer_presence(self, about: str, chunk: bytes) -> None:
        """Queue the newest word about somebody, in place of an older one."""
        older = self._presence.pop(about, b"")
        if self._bundle.add(self, len(chunk) - len(older)):
            self._presence[about] = chunk

    def take(self) -> list[bytes]:
        """What has gathered, as frames of a bearable size."""
        chunks = [*self._chunks, *self._presence.values()]
        self._chunks.clear()
        self._presence.clear()
        return [frames for frames, _ in packed(chunks)]
