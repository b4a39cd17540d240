"""Realtime and messaging made small: a log of several streams, and sends that land in it.

The contract is kept where the gateway relies on it: frames are a chain per Watch, positions are
canonical vectors, streams are interleaved differently by each Watch, a position that is too old or
of another epoch is answered with resync_required, `until_position` ends exactly there.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.service.gateway.doubles import metadata_of
from tests.service.gateway.log_double import STREAMS, Log, Vector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Realtime(realtime_v1.RealtimeServiceServicer):
    """Streams the log."""

    log: Log
    random: random.Random = field(default_factory=lambda: random.Random(7))
    watches: list[tuple[str, str]] = field(default_factory=list)
    """Position and until of every Watch there was."""
    presence: list[realtime_v1.PublishPresenceRequest] = field(default_factory=list)
    is_away: bool = False
    present: dict[str, realtime_v1.Presence] = field(default_factory=dict)
    ephemeral: dict[int, asyncio.Queue[realtime_v1.ServerFrame]] = field(default_factory=dict)
    cuts: int = 0

    def cut(self) -> None:
        """End every Watch there is."""
        self.cuts += 1
        self.log.grown.set()
        self.log.grown = asyncio.Event()

    def publish(self, presence: realtime_v1.Presence) -> None:
        self.tell(realtime_v1.ServerFrame(presence=presence))

    def tell(self, frame: realtime_v1.ServerFrame) -> None:
        """A word that is not kept."""
        for queue in self.ephemeral.values():
            queue.put_nowait(frame)
        self.log.grown.set()
        self.log.grown = asyncio.Event()

    async def PublishPresence(self, request: Any, context: Any) -> Any:
        assert metadata_of(context)["x-inbox-workspace"]
        self.presence.append(request)
        if not request.is_customer:
            presence = realtime_v1.Presence(
                member_id=request.member_id,
                display_name=request.display_name,
                conversation_id=request.conversation_id,
                is_typing=request.is_typing,
                is_gone=request.is_gone,
            )
            known = self.present.pop(request.member_id, None)
            if not request.is_gone:
                self.present[request.member_id] = presence
            if known != presence:
                self.publish(presence)
        return realtime_v1.PublishPresenceResponse()

    async def PublishAiActivity(self, request: Any, context: Any) -> Any:
        return realtime_v1.PublishAiActivityResponse()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        cuts = self.cuts
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        async for frames in self._watch(request.position, request.until_position):
            yield realtime_v1.WatchResponse(frames=frames)
            if self.cuts != cuts:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")

    async def WatchWorkspaces(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        cuts = self.cuts
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        brought: asyncio.Queue[realtime_v1.WorkspaceFrames] = asyncio.Queue()
        reading = asyncio.ensure_future(self._read(requests, brought))
        try:
            while True:
                frames = await brought.get()
                yield realtime_v1.WatchWorkspacesResponse(workspaces=[frames])
                if self.cuts != cuts:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reading

    async def _read(
        self, requests: Any, brought: asyncio.Queue[realtime_v1.WorkspaceFrames]
    ) -> None:
        watching: dict[int, asyncio.Task[None]] = {}

        async def bring(wanted: realtime_v1.WorkspaceToWatch) -> None:
            async for frames in self._watch(wanted.position, ""):
                raw = [frame.SerializeToString() for frame in frames]
                brought.put_nowait(realtime_v1.WorkspaceFrames(ref=wanted.ref, frames=raw))

        async with asyncio.TaskGroup() as group:
            async for request in requests:
                for ref in request.end:
                    watching.pop(ref).cancel()
                for wanted in request.begin:
                    watching[wanted.ref] = group.create_task(bring(wanted))

    async def _watch(
        self, position: str, until: str
    ) -> AsyncIterator[list[realtime_v1.ServerFrame]]:
        self.watches.append((position, until))
        number = len(self.watches)
        self.ephemeral[number] = asyncio.Queue()
        try:
            async for frames in self._frames(position, until, number):
                yield frames
        finally:
            del self.ephemeral[number]

    async def _frames(
        self, position: str, until: str, number: int
    ) -> AsyncIterator[list[realtime_v1.ServerFrame]]:
        here = self.log.read(position) if position else self.log.heads()
        present = realtime_v1.PresentMembers(members=list(self.present.values()))
        first = [realtime_v1.ServerFrame(present_members=present)]
        if here is None:
            here = self.log.heads()
            resync = realtime_v1.ResyncRequired()
            at = self.log.write(here)
            first.append(realtime_v1.ServerFrame(position=at, resync_required=resync))
        elif not position:
            first.append(
                realtime_v1.ServerFrame(position=self.log.write(here), idle=realtime_v1.Idle())
            )
        yield first
        limit = self.log.read(until) if until else None
        while here != limit:
            grown = self.log.grown
            frames = self._step(here, limit)
            while not self.ephemeral[number].empty():
                frames.append(self.ephemeral[number].get_nowait())
            if frames:
                yield frames
            else:
                await grown.wait()
                yield []

    def _step(self, here: Vector, limit: Vector | None) -> list[realtime_v1.ServerFrame]:
        """A few frames, from whichever stream comes first this time."""
        frames: list[realtime_v1.ServerFrame] = []
        heads = limit or self.log.heads()
        for _ in range(self.random.randint(1, 8)):
            ahead = [stream for stream in STREAMS if here[stream] < heads[stream]]
            if not ahead:
                break
            stream = self.random.choice(ahead)
            frame = realtime_v1.ServerFrame()
            frame.CopyFrom(self.log.frames[stream][here[stream]])
            frame.previous = self.log.write(here)
            here[stream] += 1
            frame.position = self.log.write(here)
            frames.append(frame)
        return frames


@dataclass
class Messaging(messaging_v1.MessagingServiceServicer):
    """Stores what comes through the stream, once per client_message_id."""

    log: Log
    stored: dict[str, messaging_v1.Message] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    batch_sizes: list[int] = field(default_factory=list)
    lose_answers: int = 0
    """So many batches are stored but not answered: the stream breaks instead."""
    is_silent: bool = False
    is_away: bool = False

    async def SendMessages(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        assert metadata_of(context)["authorization"].startswith("Bearer service.")
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        async for request in requests:
            self.batch_sizes.append(len(request.items))
            results = [self._send(item) for item in request.items]
            if self.is_silent:
                continue
            if self.lose_answers > 0:
                self.lose_answers -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "lost")
            yield messaging_v1.SendMessagesResponse(results=results)

    def _send(self, item: messaging_v1.SendMessagesItem) -> messaging_v1.SendMessagesResult:
        self.tokens.append(item.access_token)
        asked = item.request
        if not asked.text:
            error = error_v1.Error(
                code=3, reason=error_v1.REASON_TEXT_EMPTY, message="say something"
            )
            return messaging_v1.SendMessagesResult(ref=item.ref, error=error)
        known = self.stored.get(asked.client_message_id)
        if known is None:
            self.stored[asked.client_message_id] = self.log.message(
                asked.text, client_message_id=asked.client_message_id
            )
        sent = messaging_v1.SendMessageResponse(
            message=self.stored[asked.client_message_id], replayed=known is not None
        )
        return messaging_v1.SendMessagesResult(ref=item.ref, sent=sent)
