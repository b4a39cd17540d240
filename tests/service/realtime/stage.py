"""The publishing logs, replicas of realtime on them, and clients that check the chain."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chassis import outbox
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.event_log import EventLog
from chassis.events import Event
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from chassis.relay import Relay
from chassis.stream import EventStream
from inbox.assistant import v1 as assistant_v1
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from services.realtime.actions import PresenceHub, Replay, watch
from services.realtime.consumers import Reader
from services.realtime.live import Live
from services.realtime.model import STREAMS
from services.realtime.sweeper import sweep_for_ever
from suite.databases import DatabaseUrls
from tests.service.chassis.eventing import LocalLog, NoEntities, running, until

DOMAINS = tuple(stream.removeprefix("INBOX_").lower() for stream in STREAMS)


def an_event(domain: str, label: str) -> tuple[str, bytes]:
    """An event of a domain that carries a label."""
    if domain == "conversation":
        conversation = conversation_v1.Conversation(id=label)
        event = conversation_v1.ConversationRead(conversation=conversation)
        return "conversation_read", event.SerializeToString()
    if domain == "identity":
        workspace = identity_v1.Workspace(id=label)
        return "workspace_changed", identity_v1.WorkspaceChanged(
            workspace=workspace
        ).SerializeToString()
    if domain == "assistant":
        article = assistant_v1.Article(id=label)
        return "article_changed", assistant_v1.ArticleChanged(article=article).SerializeToString()
    message = messaging_v1.Message(id=label)
    changed = messaging_v1.DeliveryStatusChanged(message=message)
    return "delivery_status_changed", changed.SerializeToString()


def label_of(frame: realtime_v1.ServerFrame) -> tuple[str, str] | None:
    """Domain and label of a durable frame."""
    kind = frame.WhichOneof("body")
    if kind == "conversation_read":
        return "conversation", frame.conversation_read.conversation.id
    if kind == "article_changed":
        return "assistant", frame.article_changed.article.id
    if kind == "workspace_changed":
        return "identity", frame.workspace_changed.workspace.id
    if kind == "delivery_status_changed":
        return "messaging", frame.delivery_status_changed.message.id
    return None


@dataclass
class Publisher:
    """One publishing service."""

    domain: str
    app: Database
    worker: Database
    relay: LossyRelay
    stream: EventStream
    owner: LocalLog

    async def emit(self, workspace: WorkspaceId, *labels: str) -> None:
        events: list[OutgoingEvent] = []
        for label in labels:
            name, payload = an_event(self.domain, label)
            subject = outbox.subject(self.domain, name, workspace)
            events.append(OutgoingEvent(subject, workspace, label, payload))
        async with self.app.begin(workspace) as transaction:
            await outbox.append(transaction, events, at=datetime(2026, 11, 23, tzinfo=UTC))
            transaction.after_commit(self.relay.wake)


class LossyRelay(Relay):
    """Loses and repeats hints when told to."""

    lose = 0.0
    repeat = 0.0
    dice = random.Random(5)

    async def _hint(self, events: Sequence[Event]) -> None:
        told: list[Event] = []
        for event in events:
            if self.dice.random() >= self.lose:
                told.append(event)
            if self.dice.random() < self.repeat:
                told.append(self.dice.choice(events))
        await super()._hint(told)


@dataclass
class Replica:
    """One process of realtime, without its gRPC server."""

    live: Live
    replay: Replay
    presence: PresenceHub

    @asynccontextmanager
    async def watching(
        self, workspace: WorkspaceId, position: str = "", until_position: str = ""
    ) -> AsyncIterator[AsyncIterator[realtime_v1.ServerFrame]]:
        """The frames of a watch."""
        messages = watch(self.live, self.replay, workspace, position, until_position)

        async def frames() -> AsyncIterator[realtime_v1.ServerFrame]:
            async for message in messages:
                assert len(message) < 4 * 2**20
                for frame in realtime_v1.WatchResponse.FromString(message).frames:
                    yield frame

        async with aclosing(messages):
            yield frames()


@dataclass
class Client:
    """A watcher that checks that no frame is missing and none comes twice."""

    workspace: WorkspaceId
    position: str = ""
    seen: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in DOMAINS})
    resyncs: int = 0
    present: dict[str, realtime_v1.Presence] = field(default_factory=dict)
    customer_typing: list[str] = field(default_factory=list)
    ai_writing: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(labels) for labels in self.seen.values())

    def take(self, frame: realtime_v1.ServerFrame) -> None:
        kind = frame.WhichOneof("body")
        if kind == "present_members":
            self.present = {member.member_id: member for member in frame.present_members.members}
        elif kind == "presence":
            if frame.presence.is_gone:
                self.present.pop(frame.presence.member_id, None)
            else:
                self.present[frame.presence.member_id] = frame.presence
        elif kind == "customer_typing":
            self.customer_typing.append(frame.customer_typing.conversation_id)
        elif kind == "ai_writing":
            self.ai_writing.append((frame.ai_writing.conversation_id, frame.ai_writing.is_writing))
        if not frame.position:
            return
        if kind == "resync_required":
            self.resyncs += 1
        elif self.position and frame.position != self.position:
            assert frame.previous == self.position, "a frame is missing"
        self.position = frame.position
        label = label_of(frame)
        if label is not None:
            self.seen[label[0]].append(label[1])

    async def follow(
        self, replica: Replica, *, until_count: int = -1, within: float = 60, frames: int = 0
    ) -> None:
        """Watch until so many events were seen in all, or so many frames came."""
        came = 0
        async with (
            asyncio.timeout(within),
            replica.watching(self.workspace, self.position) as stream,
        ):
            async for frame in stream:
                self.take(frame)
                came += 1
                if (until_count >= 0 and self.count >= until_count) or (frames and came >= frames):
                    return


@dataclass
class Stage:
    """Everything."""

    publishers: dict[str, Publisher]

    async def emit(self, workspace: WorkspaceId, domain: str, *labels: str) -> None:
        await self.publishers[domain].emit(workspace, *labels)

    @asynccontextmanager
    async def replica(self, nats_url: str) -> AsyncIterator[Replica]:
        clock = SystemClock()
        bus = Bus(nats_url, name="realtime")
        live = Live(clock)
        presence = PresenceHub(live, bus, clock)
        await presence.listen()
        readers = [
            Reader(live, bus, source, self.publishers[DOMAINS[source]].owner).run
            for source in range(len(STREAMS))
        ]
        async with running(bus.run, lambda: sweep_for_ever(live, clock), *readers):
            await until(lambda: live.missing() is None)
            yield Replica(live, Replay(bus, clock), presence)


@asynccontextmanager
async def a_stage(urls: dict[str, DatabaseUrls], nats_url: str) -> AsyncIterator[Stage]:
    bus = Bus(nats_url, name="publishers")
    publishers: dict[str, Publisher] = {}
    for domain, stream in zip(DOMAINS, STREAMS, strict=True):
        app, worker = Database(urls[domain].app), Database(urls[domain].worker)
        publishers[domain] = Publisher(
            domain,
            app,
            worker,
            LossyRelay(worker, bus, stream),
            EventStream(bus, stream),
            LocalLog(EventLog(worker, NoEntities())),
        )
    relays = [publisher.relay for publisher in publishers.values()]
    try:
        async with running(bus.run, *(relay.run for relay in relays)):
            await until(lambda: all(relay.publisher.published_gpos is not None for relay in relays))
            yield Stage(publishers)
    finally:
        for publisher in publishers.values():
            await publisher.app.close()
            await publisher.worker.close()
