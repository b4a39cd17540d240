"""The small language the tests of consumers speak."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chassis import cursor
from chassis.bus import Bus
from chassis.consumer import Consumer
from chassis.cursor import Cursor
from chassis.database import Database, Transaction
from chassis.event_log import EventLog, SnapshotEntity
from chassis.ids import WorkspaceId
from chassis.relay import Relay
from chassis.stream import EventStream
from tests.service.chassis.eventing import (
    STREAM,
    Effects,
    LocalLog,
    NoEntities,
    effect_count,
    effects,
    emit,
    running,
    until,
)

NAME = "test-projection"


@dataclass
class Entities:
    """A service's entities, by workspace."""

    by_workspace: dict[WorkspaceId, list[str]] = field(default_factory=dict)

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        workspace = transaction.workspace_id
        assert workspace is not None
        return [
            SnapshotEntity(
                cursor=name,
                subject=f"inbox.messaging.v1.channel_changed.{workspace}",
                ordering_key=name,
                payload=name.encode(),
            )
            for name in sorted(self.by_workspace.get(workspace, []))
            if name > after
        ][:count]


@dataclass
class Desk:
    """A publishing and a consuming service in one."""

    app: Database
    worker: Database
    bus: Bus
    relay: Relay
    stream: EventStream
    owner: LocalLog
    effects: Effects = field(default_factory=Effects)

    def consumer(self, **options: object) -> Consumer:
        return Consumer(
            name=NAME,
            stream=STREAM,
            database=self.worker,
            bus=self.bus,
            owner=self.owner,
            apply=self.effects.apply,
            **options,  # type: ignore[arg-type]
        )

    async def emit(self, workspace: WorkspaceId, *payloads: str, key: str = "") -> None:
        await emit(self.app, workspace, *payloads, key=key, wake=self.relay.wake)

    async def applied(self) -> list[str]:
        return [row["payload"] for row in await effects(self.worker)]

    async def until_applied(self, count: int, within: float = 8) -> None:
        async def is_applied() -> bool:
            return await effect_count(self.worker) >= count

        await until(is_applied, within)

    async def place_cursor(self, gpos: int) -> None:
        """As if everything up to a position had been applied."""
        async with self.worker.begin() as transaction:
            epoch = await transaction.raw.fetchval("SELECT log_epoch FROM log_state")
            await cursor.replace(transaction, NAME, STREAM, before=None, after=Cursor(epoch, gpos))

    async def cursor(self) -> Cursor | None:
        async with self.worker.begin() as transaction:
            return await cursor.load(transaction, NAME)

    async def parked(self) -> list[tuple[str, str]]:
        async with self.worker.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT payload, state FROM parked_events ORDER BY gpos"
            )
            return [(row["payload"].decode(), row["state"]) for row in rows]


@asynccontextmanager
async def desk_on(
    app: Database, worker: Database, bus: Bus, entities: Entities | None = None
) -> AsyncIterator[Desk]:
    relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
    owner = LocalLog(EventLog(worker, entities or NoEntities()))
    async with running(relay.run):
        await until(lambda: relay.is_active)
        yield Desk(app, worker, bus, relay, stream, owner)
