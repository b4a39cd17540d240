"""What the tests of relay, feed and consumer share: a workspace that makes events, and loops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from chassis import outbox
from chassis.bus import Bus
from chassis.database import Database, Transaction
from chassis.event_log import EventLog, EventsExpired, SnapshotEntity
from chassis.events import Event
from chassis.ids import WorkspaceId, new_id
from chassis.outbox import OutgoingEvent
from chassis.owners_log import (
    LogExpired,
    LogRange,
    OwnerUnavailable,
    SnapshotPage,
    entity_of,
    logged,
)
from chassis.relay import Relay
from chassis.stream import EventStream
from chassis.tasks import Supervisor
from inbox.event import v1 as event_v1

STREAM = "INBOX_MESSAGING"
DOMAIN = "messaging"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def emit(
    database: Database,
    workspace_id: WorkspaceId,
    *payloads: str,
    key: str = "",
    event: str = "message_created",
    at: datetime = NOON,
    wake: Callable[[], None] | None = None,
) -> None:
    """Commit events, one for each payload."""
    async with database.begin(workspace_id) as transaction:
        await outbox.append(
            transaction,
            [
                OutgoingEvent(
                    subject=outbox.subject(DOMAIN, event, workspace_id),
                    workspace_id=workspace_id,
                    ordering_key=key or workspace_id,
                    payload=payload.encode(),
                )
                for payload in payloads
            ],
            at=at,
        )
        if wake is not None:
            transaction.after_commit(wake)


def a_workspace() -> WorkspaceId:
    return WorkspaceId(new_id())


@asynccontextmanager
async def running(*loops: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Loops kept running for the length of a block, as a process keeps them."""
    async with Supervisor() as supervisor:
        for number, loop in enumerate(loops):
            supervisor.supervise(f"test-{number}", loop)
        yield


@asynccontextmanager
async def connected_bus(url: str) -> AsyncIterator[Bus]:
    bus = Bus(url, name="test")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(bus.run))
        await asyncio.wait_for(bus.wait_connected(), 5)
        yield bus


async def until(
    claim: Callable[[], Awaitable[bool]] | Callable[[], bool], within: float = 8
) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(within):
        while True:
            held = claim()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


async def stream_payloads(stream: EventStream, from_seq: int = 1) -> list[str]:
    """Everything in a stream, checking that each event stands at its own place."""
    found: list[str] = []
    while events := await stream.read(from_seq):
        assert [event.gpos for event in events] == list(
            range(events[0].gpos, events[0].gpos + len(events))
        )
        found += [event.payload.decode() for event in events]
        from_seq = events[-1].gpos + 1
    return found


async def last_gpos(database: Database) -> int:
    async with database.begin() as transaction:
        found: int = await transaction.raw.fetchval("SELECT last_gpos FROM log_state")
        return found


class Effects:
    """An `apply` that writes one row per event, and fails where it is told to."""

    def __init__(self) -> None:
        self.poisons: set[bytes] = set()
        self.calls = 0

    async def apply(self, transaction: Transaction, events: Sequence[Event]) -> None:
        self.calls += 1
        assert len({event.workspace_id for event in events}) == 1
        for event in events:
            assert event.workspace_id == transaction.workspace_id
            await transaction.raw.execute(
                "INSERT INTO effects (workspace_id, gpos, log_epoch, ordering_key, payload) "
                "VALUES ($1, $2, $3, $4, $5)",
                event.workspace_id,
                event.gpos,
                event.epoch,
                event.ordering_key,
                event.payload.decode(),
            )
            if event.payload in self.poisons:
                raise ValueError("cannot be applied: the customer's words")


async def effects(worker: Database) -> list[asyncpg.Record]:
    """Every effect of every workspace, in the order it was applied."""
    async with worker.begin() as transaction:
        return list(await transaction.raw.fetch("SELECT * FROM effects ORDER BY id"))


async def effect_count(worker: Database) -> int:
    async with worker.begin() as transaction:
        found: int = await transaction.raw.fetchval("SELECT count(*) FROM effects")
        return found


class NoEntities:
    """A service without entities."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        return []


class LocalLog:
    """The owner, asked without a network; may be away."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.is_away = False
        self.reads = 0

    async def read(self, from_gpos: int, count: int = 500) -> LogRange:
        self.reads += 1
        if self.is_away:
            raise OwnerUnavailable
        request = event_v1.ReadEventsRequest(from_gpos=from_gpos, page_size=count)
        try:
            return logged(await self._log.ReadEvents(request, None))
        except EventsExpired:
            raise LogExpired from None

    async def snapshot(self, page_token: str) -> SnapshotPage:
        if self.is_away:
            raise OwnerUnavailable
        request = event_v1.ReadSnapshotRequest(page_token=page_token, page_size=3)
        try:
            answer = await self._log.ReadSnapshot(request, None)
        except EventsExpired:
            raise LogExpired from None
        return SnapshotPage(
            entities=[entity_of(entity, answer.log_epoch) for entity in answer.entities],
            log_epoch=answer.log_epoch,
            gpos=answer.gpos,
            next_page_token=answer.next_page_token,
        )


class LossyRelay(Relay):
    """Loses, repeats and shuffles hints, as a bad network might."""

    def mistreat(self, seed: int, *, lose: float = 0.0, repeat: float = 0.0) -> None:
        self._dice, self._lose, self._repeat = random.Random(seed), lose, repeat

    async def _hint(self, events: Sequence[Event]) -> None:
        told: list[Event] = []
        for event in events:
            if self._dice.random() >= self._lose:
                told.append(event)
            if self._dice.random() < self._repeat:
                told.append(self._dice.choice(events))
        await super()._hint(told)
