"""Realtime and messaging made small: a log of several streams, and sends that land in it.

The contract is kept where the gateway relies on it: frames are a chain per Watch, positions are
canonical vectors, streams are interleaved differently by each Watch, a position that is too old or
of another epoch is answered with resync_required, `until_position` ends exactly there.
"""

from __future__ import annotations

import asyncio
import base64
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from inbox.conversation import v1 as conversation_v1
from inbox.error import v1 as error_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.service.gateway.doubles import metadata_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MESSAGING, CONVERSATION, IDENTITY = "INBOX_MESSAGING", "INBOX_CONVERSATION", "INBOX_IDENTITY"
STREAMS = (CONVERSATION, IDENTITY, MESSAGING)
CONVERSATION_ID = "0192f0c1-7c00-7000-8000-00000000c000"

Vector = dict[str, int]


@dataclass
class Log:
    """What happened in the one workspace there is."""

    epoch: str = "e1"
    frames: dict[str, list[realtime_v1.ServerFrame]] = field(
        default_factory=lambda: {stream: [] for stream in STREAMS}
    )
    """Body only; a frame's gpos is its index + 1."""
    kept_from: Vector = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    """Positions below cannot be resumed."""
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, stream: str, frame: realtime_v1.ServerFrame) -> None:
        self.frames[stream].append(frame)
        self.grown.set()
        self.grown = asyncio.Event()

    def heads(self) -> Vector:
        return {stream: len(frames) for stream, frames in self.frames.items()}

    def write(self, vector: Vector) -> str:
        position = realtime_v1.Position(
            streams=[
                realtime_v1.StreamPosition(stream=name, log_epoch=self.epoch, gpos=gpos)
                for name, gpos in sorted(vector.items())
            ]
        )
        return base64.urlsafe_b64encode(position.SerializeToString()).decode().rstrip("=")

    def read(self, text: str) -> Vector | None:
        """None when it cannot be resumed."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            streams = realtime_v1.Position.FromString(raw).streams
        except Exception:  # noqa: BLE001 - whatever a client made up
            return None
        vector = {stream.stream: stream.gpos for stream in streams}
        if any(stream.log_epoch != self.epoch for stream in streams) or set(vector) != set(STREAMS):
            return None
        is_kept = all(self.kept_from[name] <= gpos for name, gpos in vector.items())
        heads = self.heads()
        return vector if is_kept and all(vector[n] <= heads[n] for n in STREAMS) else None

    def message(self, text: str, **more: Any) -> messaging_v1.Message:
        """Commit a message as a service would."""
        seq = 1 + sum(1 for frame in self.frames[MESSAGING] if frame.HasField("message_created"))
        given = {
            "id": f"m-{seq}",
            "conversation_id": CONVERSATION_ID,
            "seq": seq,
            "text": text,
            "version": seq,
            **more,
        }
        message = messaging_v1.Message(**given)
        created = messaging_v1.MessageCreated(message=message)
        self.append(MESSAGING, realtime_v1.ServerFrame(message_created=created))
        return message

    def conversation_read(self, version: int) -> None:
        conversation = conversation_v1.Conversation(id=CONVERSATION_ID, version=version)
        read = conversation_v1.ConversationRead(conversation=conversation)
        self.append(CONVERSATION, realtime_v1.ServerFrame(conversation_read=read))

    def session_revoked(self, session_id: str) -> None:
        revoked = identity_v1.SessionRevoked(session_id=session_id)
        self.append(IDENTITY, realtime_v1.ServerFrame(session_revoked=revoked))

    def member_changed(self, **member: Any) -> None:
        changed = identity_v1.MemberChanged(member=identity_v1.Member(**member))
        self.append(IDENTITY, realtime_v1.ServerFrame(member_changed=changed))


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
        for queue in self.ephemeral.values():
            queue.put_nowait(realtime_v1.ServerFrame(presence=presence))
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
            if request.is_gone:
                self.present.pop(request.member_id, None)
            else:
                self.present[request.member_id] = presence
            self.publish(presence)
        return realtime_v1.PublishPresenceResponse()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.watches.append((request.position, request.until_position))
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        number, cuts = len(self.watches), self.cuts
        self.ephemeral[number] = asyncio.Queue()
        try:
            async for frames in self._frames(request.position, request.until_position, number):
                yield realtime_v1.WatchResponse(frames=frames)
                if self.cuts != cuts:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
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
