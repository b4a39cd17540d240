"""A workspace's live stream for synchronous programs, resumed by itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Self

from inbox.realtime.v1 import ServerFrame
from inbox_client.errors import InboxError
from inbox_client.following import ChainBroken, Cuts, Event, Following, stream_ended

Open = Callable[[str], Any]
"""A stream of WatchResponses after a position."""


class Watch(Iterator[Event]):
    """Frames as they happen, for ever; each once, none left out without a Resync.

    One thread reads it; any thread may close it.
    """

    def __init__(
        self, open_stream: Open, position: str, cuts: Cuts, silent_after: timedelta
    ) -> None:
        self._open = open_stream
        self._following = Following(position)
        self._cuts = cuts
        self._silent_after = silent_after
        self._stream: Any = None
        self._waiting: deque[ServerFrame] = deque()
        self._closed = threading.Event()

    @property
    def position(self) -> str:
        """Everything until here was handled: watch from here after a restart."""
        return self._following.position

    def __next__(self) -> Event:
        """The next event; waits for it. Raises: ResyncIgnored, InboxError."""
        self._following.handled()
        while not self._closed.is_set():
            try:
                if not self._waiting:
                    self._receive()
                frame = self._waiting.popleft()
                event = self._following.read(frame)
            except ChainBroken:
                self._cut(stream_ended())
            except InboxError as error:
                self._cut(error)
            else:
                self._cuts.heard(frame)
                if event is not None:
                    return event
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; whoever waits for the next event hears the end."""
        self._closed.set()
        self._drop_stream()

    def _receive(self) -> None:
        """Wait for frames. Raises: InboxError."""
        while not self._waiting:
            stream = self._stream
            if stream is None:
                stream = self._stream = self._open(self._following.position)
            if self._closed.is_set():  # by another thread, which may not have seen this stream
                stream.cancel()
            # gRPC's iterator waits for ever, also for a peer that is gone.
            silence = threading.Timer(self._silent_after.total_seconds(), stream.cancel)
            silence.daemon = True
            silence.start()
            try:
                batch = next(stream, None)
            finally:
                silence.cancel()
            if batch is None:
                raise stream_ended()
            self._waiting.extend(batch.frames)

    def _cut(self, error: InboxError) -> None:
        self._drop_stream()
        self._waiting.clear()
        if not self._closed.is_set():
            self._closed.wait(self._cuts.pause_after(error))

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()
