"""The owner of a stream, asked directly: what JetStream does not have, and everything at once.

Postgres is the only truth; whoever misses an event, or starts from nothing, gets it from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Protocol

import grpc

from chassis.errors import TemporarilyUnavailable
from chassis.events import SNAPSHOT_GPOS, Event, text_of
from chassis.ids import WorkspaceId
from chassis.rpc.faults import remote_fault
from inbox.event import v1 as event_v1

READ_WITHIN_SECONDS = 10.0
MAX_EVENTS = 500
EXPIRED = "EVENTS_EXPIRED"


class LogExpired(Exception):
    """The events asked for are not kept any more: read a snapshot."""


@dataclass(eq=False)
class OwnerUnavailable(TemporarilyUnavailable):
    """The owner of the stream does not answer."""

    detail: str = ""
    part: str = "the owner of the events"


@dataclass(frozen=True, slots=True)
class LogRange:
    """A dense part of a log."""

    events: Sequence[Event]
    log_epoch: str
    first_gpos: int
    last_gpos: int


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Some entities of a snapshot, each as the event that would announce it."""

    entities: Sequence[Event]
    log_epoch: str
    gpos: int
    """The same on every page: go on with the event after this one."""
    next_page_token: str
    """Empty after the last page."""


class OwnersLog(Protocol):
    """Asks the owner of a stream."""

    async def read(self, from_gpos: int, count: int = MAX_EVENTS) -> LogRange:
        """Events from a position on. Raises: LogExpired, OwnerUnavailable."""
        ...

    async def snapshot(self, page_token: str) -> SnapshotPage:
        """A page of the entities. Raises: LogExpired (start again), OwnerUnavailable."""
        ...


class RemoteLog:
    """Asks by gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """`channel` carries a service credential."""
        self._stub = event_v1.EventLogServiceStub(channel)

    async def read(self, from_gpos: int, count: int = MAX_EVENTS) -> LogRange:
        """Events from a position on. Raises: LogExpired, OwnerUnavailable."""
        request = event_v1.ReadEventsRequest(from_gpos=from_gpos, page_size=count)
        try:
            answer = await self._stub.ReadEvents(request, timeout=READ_WITHIN_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from error
        return logged(answer)

    async def snapshot(self, page_token: str) -> SnapshotPage:
        """A page of the entities. Raises: LogExpired, OwnerUnavailable."""
        request = event_v1.ReadSnapshotRequest(page_token=page_token)
        try:
            answer = await self._stub.ReadSnapshot(request, timeout=READ_WITHIN_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from error
        return SnapshotPage(
            entities=[entity_of(entity, answer.log_epoch) for entity in answer.entities],
            log_epoch=answer.log_epoch,
            gpos=answer.gpos,
            next_page_token=answer.next_page_token,
        )


def logged(answer: event_v1.ReadEventsResponse) -> LogRange:
    """An answer of ReadEvents."""
    return LogRange(
        events=[_event(event, answer.log_epoch) for event in answer.events],
        log_epoch=answer.log_epoch,
        first_gpos=answer.first_gpos,
        last_gpos=answer.last_gpos,
    )


def _fault(error: grpc.aio.AioRpcError) -> Exception:
    if remote_fault(error).reason == EXPIRED:
        return LogExpired()
    return OwnerUnavailable(detail=error.code().name)


def _event(event: event_v1.LoggedEvent, log_epoch: str) -> Event:
    return Event(
        gpos=event.gpos,
        epoch=log_epoch,
        event_id=event.event_id,
        workspace_id=WorkspaceId(event.workspace_id),
        subject=event.subject,
        ordering_key=event.ordering_key,
        payload=event.payload,
        time_text=text_of(event.create_time.ToDatetime(UTC)),
        traceparent=event.traceparent,
    )


def entity_of(entity: event_v1.SnapshotEntity, log_epoch: str) -> Event:
    """An entity as the event that would announce it."""
    return Event(
        gpos=SNAPSHOT_GPOS,
        epoch=log_epoch,
        event_id="",
        workspace_id=WorkspaceId(entity.workspace_id),
        subject=entity.subject,
        ordering_key=entity.ordering_key,
        payload=entity.payload,
        time_text="",
    )
