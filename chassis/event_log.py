"""EventLogService: every publishing service's log and its present entities, for who lost track.

process.serve(
    event_v1.add_EventLogServiceServicer_to_server, EventLog(worker_database, Snapshot())
)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import paging, sequencer
from chassis.database import Database, Transaction
from chassis.errors import FieldInvalid, OutOfRange
from chassis.events import Event
from chassis.ids import WorkspaceId, parse_id
from chassis.requests import page_size
from inbox.event import v1 as event_v1

MAX_EVENTS = 500
MAX_ENTITIES = 1000
DEFAULT_ENTITIES = 500
MAX_WORKSPACES = 100
"""Looked through for one page, so that many empty ones do not use up the call's deadline."""
MAX_ANSWER_BYTES = 3 * 2**20
"""Below the 4 MiB that a message may have; a single event is far smaller."""


@dataclass(eq=False)
class EventsExpired(OutOfRange):
    """The events asked for are no longer kept, or the log has begun another life."""

    first_gpos: int
    reason = "EVENTS_EXPIRED"

    def __str__(self) -> str:
        return f"the log is kept from {self.first_gpos} on; read a snapshot and go on from there"


@dataclass(frozen=True, slots=True)
class SnapshotEntity:
    """One entity, as the event that would announce it."""

    cursor: str
    """Where the next page begins after it; unique in the workspace, in the order of the pages."""
    subject: str
    ordering_key: str
    payload: bytes


class SnapshotSource(Protocol):
    """The entities of a service."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """At most `count` entities of the transaction's workspace after a cursor, "" the first.

        Fewer than `count` mean that these were the last.
        """
        ...


class EventLog(event_v1.EventLogServiceServicer):
    """Serves one database's log."""

    def __init__(self, database: Database, source: SnapshotSource) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._source = source

    async def ReadEvents(
        self, request: event_v1.ReadEventsRequest, context: Any
    ) -> event_v1.ReadEventsResponse:
        """Read a dense range."""
        if request.from_gpos < 1:
            raise FieldInvalid(field="from_gpos", rule="must be at least 1")
        count = page_size(request.page_size, default=MAX_EVENTS, at_most=MAX_EVENTS)
        # One statement after the other: between them the log may grow at its end, and lose
        # events at its beginning, which the second look would show as an empty answer.
        async with self._database.begin() as transaction:
            events = await sequencer.read(
                transaction.raw,
                request.from_gpos,
                to_gpos=request.to_gpos or 2**62,
                count=count,
                size_bytes=MAX_ANSWER_BYTES,
            )
            stand = await sequencer.stand(transaction.raw)
        if not events and request.from_gpos < stand.first_gpos:
            raise EventsExpired(first_gpos=stand.first_gpos)
        return event_v1.ReadEventsResponse(
            events=[_message(event) for event in events],
            log_epoch=stand.log_epoch,
            last_gpos=stand.last_gpos,
            first_gpos=stand.first_gpos,
        )

    async def ReadSnapshot(
        self, request: event_v1.ReadSnapshotRequest, context: Any
    ) -> event_v1.ReadSnapshotResponse:
        """Read a page of the entities."""
        only = parse_id("workspace_id", request.workspace_id) if request.workspace_id else ""
        count = page_size(request.page_size, default=DEFAULT_ENTITIES, at_most=MAX_ENTITIES)
        query = ("ReadSnapshot", only)
        position = paging.position_in(request.page_token, query, (int, str, str, str))
        # Before the first entity is read: each is then at least as new as this position.
        async with self._database.begin() as transaction:
            stand = await sequencer.stand(transaction.raw)
        gpos, log_epoch, workspace_id, after = position or (
            stand.last_gpos,
            stand.log_epoch,
            "",
            "",
        )
        if log_epoch != stand.log_epoch:
            raise EventsExpired(first_gpos=stand.first_gpos)
        entities, place = await self._gather(only, workspace_id, after, count)
        token = paging.next_token(query, (gpos, log_epoch, *place)) if place else ""
        return event_v1.ReadSnapshotResponse(
            entities=entities, gpos=gpos, log_epoch=log_epoch, next_page_token=token
        )

    async def _gather(
        self, only: str, workspace_id: str, after: str, count: int
    ) -> tuple[list[event_v1.SnapshotEntity], tuple[str, str] | None]:
        """Entities from a place on, and the place after them; None after the last workspace."""
        gathered: list[event_v1.SnapshotEntity] = []
        size = 0
        if not workspace_id:
            workspace_id = only or await self._workspace_after("")
        for _ in range(MAX_WORKSPACES):
            if not workspace_id:
                return gathered, None
            wanted = count - len(gathered)
            async with self._database.begin(WorkspaceId(workspace_id)) as transaction:
                page = await self._source.page(transaction, after, wanted)
            for entity in page:
                size += len(entity.payload)
                if gathered and size > MAX_ANSWER_BYTES:
                    return gathered, (workspace_id, after)
                gathered.append(_entity_message(workspace_id, entity))
                after = entity.cursor
            if len(page) == wanted:
                return gathered, (workspace_id, after)
            workspace_id = "" if only else await self._workspace_after(workspace_id)
            after = ""
        return gathered, (workspace_id, after) if workspace_id else None

    async def _workspace_after(self, workspace_id: str) -> str:
        async with self._database.begin() as transaction:
            found: str | None = await transaction.raw.fetchval(
                "SELECT workspace_id::text FROM log_workspaces "
                "WHERE $1::uuid IS NULL OR workspace_id > $1 ORDER BY workspace_id LIMIT 1",
                workspace_id or None,
            )
            return found or ""


def _message(event: Event) -> event_v1.LoggedEvent:
    return event_v1.LoggedEvent(
        gpos=event.gpos,
        subject=event.subject,
        event_id=event.event_id,
        workspace_id=event.workspace_id,
        create_time=_timestamp(event.time),
        payload=event.payload,
        traceparent=event.traceparent,
        ordering_key=event.ordering_key,
    )


def _entity_message(workspace_id: str, entity: SnapshotEntity) -> event_v1.SnapshotEntity:
    return event_v1.SnapshotEntity(
        subject=entity.subject,
        workspace_id=workspace_id,
        payload=entity.payload,
        ordering_key=entity.ordering_key,
    )


def _timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
