"""Following a workspace's live stream: the chain of positions, without wires or waiting.

A watcher that misses something must know it. So a frame that does not follow the one before is a
cut, and a position that cannot be resumed is a Resync, which stops the watch until it is handled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import grpc
from google.protobuf.message import Message

from inbox.realtime.v1 import ServerFrame
from inbox_client.errors import InboxError
from inbox_client.retries import Retries

SILENT_AFTER = timedelta(seconds=90)
"""Inbox says something at least every 60 s; longer silence is a dead stream."""
RESUME_WITHIN = timedelta(minutes=5)
FINAL = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""What a stream ends with when another one would end the same way."""


def stream_ended() -> InboxError:
    """A stream that ended without saying why."""
    return InboxError(grpc.StatusCode.UNAVAILABLE, "", "the stream ended; watch again")


class ResyncIgnored(Exception):
    """The next event was asked for before the resync was handled: it would hide what was missed."""

    def __str__(self) -> str:
        return "load what you show afresh, call done() on the Resync, then ask for the next event"


class ChainBroken(Exception):
    """A frame does not follow the one before: something between was missed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Something happened."""

    position: str
    """Resume from here once it is handled; empty for what is not kept (presence, typing)."""
    body: Message
    """What: `inbox.messaging.v1.MessageCreated` and the others of `ServerFrame.body`."""


@dataclass(slots=True)
class Resync:
    """What happened until here is not told: load a snapshot, then call `done()`.

    A watch that was given no position begins with one, so that loading is written once.
    """

    position: str
    """Lists that take a position then show at least what happened until here."""
    is_done: bool = field(default=False, init=False)

    def done(self) -> None:
        """The snapshot is loaded; the watch may go on."""
        self.is_done = True


Event = Frame | Resync


class Following:
    """Where a watcher stands, and what it was given last."""

    def __init__(self, position: str) -> None:
        self.position = position
        """Everything until here was handled."""
        self._given: Event | None = None

    def handled(self) -> None:
        """The caller asks for more, so what it was given is done. Raises: ResyncIgnored."""
        given = self._given
        if isinstance(given, Resync) and not given.is_done:
            raise ResyncIgnored
        if given is not None and given.position:
            self.position = given.position
        self._given = None

    def read(self, frame: ServerFrame) -> Event | None:
        """What the caller shall hear of a frame, if anything. Raises: ChainBroken."""
        kind = frame.WhichOneof("body")
        if frame.position and (kind == "resync_required" or not self.position):
            self._given = Resync(frame.position)
            return self._given
        if frame.position:
            if frame.position == self.position:
                return None
            if frame.previous != self.position:
                raise ChainBroken
        if kind is None or kind == "idle":
            # Also what only a newer client knows: it moves on all the same.
            self.position = frame.position or self.position
            return None
        self._given = Frame(frame.position, getattr(frame, kind))
        return self._given


class Cuts:
    """How long a watch has been cut off, and whether it shall go on trying."""

    def __init__(
        self,
        retries: Retries,
        within: timedelta | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retries = retries
        self._within = within
        self._now = now
        self._failures = 0
        self._since = 0.0

    def heard(self, frame: ServerFrame) -> None:
        """A frame fitted; one without a place says nothing of where the stream begins."""
        if frame.position:
            self._failures = 0

    def pause_after(self, error: InboxError) -> float:
        """Seconds until the stream is opened again. Raises: the error, when it shall not be."""
        if self._failures == 0:
            self._since = self._now()
        self._failures += 1
        if error.code in FINAL:
            raise error
        pause = self._retries.pause_after(self._failures)
        if error.retry_after is not None:
            pause += error.retry_after.total_seconds()
        if self._within is not None:
            away = self._now() - self._since + pause
            if away > self._within.total_seconds():
                raise error
        return pause
