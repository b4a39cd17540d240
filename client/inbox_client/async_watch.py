"""A workspace's live stream for asyncio programs, resumed by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Self

import grpc

from inbox.realtime.v1 import ServerFrame
from inbox_client.errors import InboxError
from inbox_client.following import ChainBroken, Cuts, Event, Following, stream_ended
from inbox_client.watch import Open


class AsyncWatch(AsyncIterator[Event]):
    """Frames as they happen, for ever; each once, none left out without a Resync."""

    def __init__(
        self,
        open_stream: Open,
        position: str,
        cuts: Cuts,
        silent_after: timedelta,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._open = open_stream
        self._following = Following(position)
        self._cuts = cuts
        self._silent_after = silent_after
        self._pause = pause
        self._stream: Any = None
        self._waiting: deque[ServerFrame] = deque()

    @property
    def position(self) -> str:
        """Everything until here was handled: watch from here after a restart."""
        return self._following.position

    async def __anext__(self) -> Event:
        """The next event; waits for it. Raises: ResyncIgnored, InboxError."""
        self._following.handled()
        while True:
            try:
                if not self._waiting:
                    await self._receive()
                frame = self._waiting.popleft()
                event = self._following.read(frame)
            except (ChainBroken, TimeoutError):
                await self._cut(stream_ended())
            except InboxError as error:
                await self._cut(error)
            else:
                self._cuts.heard(frame)
                if event is not None:
                    return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream. A task that waits for the next event is ended by cancelling it."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()

    async def _receive(self) -> None:
        """Wait for frames. Raises: InboxError, TimeoutError."""
        while not self._waiting:
            if self._stream is None:
                self._stream = self._open(self._following.position)
            async with asyncio.timeout(self._silent_after.total_seconds()):
                batch = await self._stream.read()
            if batch is grpc.aio.EOF:
                raise stream_ended()
            self._waiting.extend(batch.frames)

    async def _cut(self, error: InboxError) -> None:
        self.close()
        self._waiting.clear()
        await self._pause(self._cuts.pause_after(error))
