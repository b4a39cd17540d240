"""Who writes numbers what it tells of at once, if nobody has to wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest

from chassis import hints, outbox, sequencer
from chassis.bus import Bus
from chassis.database import Database
from chassis.events import Event, text_of
from chassis.hints import subject_of
from chassis.ids import WorkspaceId, new_id
from chassis.relay import MAX_TAKEN, Relay
from chassis.stream import EventStream
from tests.service.chassis.eventing import (
    DOMAIN,
    NOON,
    STREAM,
    a_workspace,
    connected_bus,
    emit,
    running,
    stream_payloads,
    until,
)

TELL = "SELECT * FROM pg_temp.tell($1, $2, $3, $4, $5, $6, $7)"
LOOKS_INTO_THE_OUTBOX = "OR EXISTS (SELECT FROM outbox)"
LOOKS_BEFORE_IT_LOCKS = "IF NOT EXISTS (SELECT FROM outbox) THEN"
PAYLOADS = "SELECT gpos, convert_from(payload, 'UTF8') FROM events ORDER BY gpos"


class Teller:
    """A writer's connection."""

    def __init__(self, connection: sequencer.Connection, workspace_id: WorkspaceId) -> None:
        self.connection = connection
        self.workspace_id = workspace_id

    async def tell(self, *payloads: str, subject: str = "") -> list[Event]:
        """The events that were numbered at once."""
        count, ids = len(payloads), [new_id() for _ in payloads]
        subject = subject or outbox.subject(DOMAIN, "message_created", self.workspace_id)
        row = await self.connection.fetchrow(
            TELL,
            ids,
            [self.workspace_id] * count,
            [subject] * count,
            [self.workspace_id] * count,
            [payload.encode() for payload in payloads],
            NOON,
            [""] * count,
        )
        assert row is not None
        if row["base"] is None:
            return []
        return [
            Event(
                row["base"] + place,
                row["epoch"],
                event_id,
                self.workspace_id,
                subject,
                self.workspace_id,
                payload.encode(),
                text_of(NOON),
            )
            for place, (event_id, payload) in enumerate(zip(ids, payloads, strict=True), start=1)
        ]


@asynccontextmanager
async def a_teller(worker: Database, make: str = sequencer.MAKE_TELL) -> AsyncIterator[Teller]:
    connection = await worker.connect()
    await connection.execute(make)
    yield Teller(connection, a_workspace())
    connection.terminate()


@pytest.fixture
async def teller(worker: Database) -> AsyncIterator[Teller]:
    async with a_teller(worker) as teller:
        yield teller


async def in_the_log(worker: Database) -> list[tuple[int, str]]:
    async with worker.begin() as transaction:
        return [(row[0], row[1]) for row in await transaction.raw.fetch(PAYLOADS)]


async def waiting_count(worker: Database) -> int:
    async with worker.begin() as transaction:
        found: int = await transaction.raw.fetchval("SELECT count(*) FROM outbox")
        return found


async def is_free(worker: Database) -> bool:
    """Whether a sequencer would get the log without waiting."""
    async with worker.begin() as transaction:
        rows = await transaction.raw.fetch("SELECT FROM log_state FOR UPDATE SKIP LOCKED")
        return len(rows) == 1


def without(look: str, make: str) -> str:
    """`tell` as it would be without a look into the outbox."""
    assert look in make
    return make.replace(look, "IF true THEN" if look == LOOKS_BEFORE_IT_LOCKS else "")


async def sequence_all(worker: Database) -> None:
    connection = await worker.connect()
    await sequencer.prepare(connection)
    while await sequencer.sequence(connection):
        pass
    connection.terminate()


async def test_what_is_told_at_once_is_what_a_sequencer_would_have_made_of_it(
    worker: Database, teller: Teller
) -> None:

    first, second = await teller.tell("a"), await teller.tell("b", "c")

    async with worker.begin() as transaction:
        assert await sequencer.read(transaction.raw, 1) == [*first, *second]
        assert (await sequencer.stand(transaction.raw)).last_gpos == 3
        known = await transaction.raw.fetchval("SELECT workspace_id::text FROM log_workspaces")
    assert known == teller.workspace_id
    assert await waiting_count(worker) == 0


async def test_what_waits_goes_first(app: Database, worker: Database, teller: Teller) -> None:
    await emit(app, teller.workspace_id, "earlier")

    assert await teller.tell("later") == []
    await sequence_all(worker)

    assert await in_the_log(worker) == [(1, "earlier"), (2, "later")]
    assert [event.gpos for event in await teller.tell("after that")] == [3]


async def test_without_looking_for_what_waits_the_order_would_be_lost(
    app: Database, worker: Database
) -> None:
    careless = without(LOOKS_INTO_THE_OUTBOX, without(LOOKS_BEFORE_IT_LOCKS, sequencer.MAKE_TELL))
    async with a_teller(worker, careless) as teller:
        await emit(app, teller.workspace_id, "earlier")

        await teller.tell("later")
    await sequence_all(worker)

    assert await in_the_log(worker) == [(1, "later"), (2, "earlier")]


async def test_who_writes_behind_what_waits_leaves_the_log_to_the_sequencer(
    app: Database, worker: Database, teller: Teller
) -> None:
    await emit(app, teller.workspace_id, "earlier")

    async with teller.connection.transaction():
        assert await teller.tell("later") == []
        assert await is_free(worker)


async def test_without_looking_first_every_writer_would_keep_the_log_from_the_sequencer(
    app: Database, worker: Database
) -> None:
    async with a_teller(worker, without(LOOKS_BEFORE_IT_LOCKS, sequencer.MAKE_TELL)) as teller:
        await emit(app, teller.workspace_id, "earlier")

        async with teller.connection.transaction():
            assert await teller.tell("later") == []
            assert not await is_free(worker)


async def test_nobody_waits_for_the_log(worker: Database, teller: Teller) -> None:

    async with worker.begin() as another:
        await another.raw.execute("SELECT FROM log_state FOR UPDATE")
        told = await asyncio.wait_for(teller.tell("meanwhile"), 5)

    assert told == []
    assert await waiting_count(worker) == 1


async def test_what_the_stream_could_not_carry_is_refused(worker: Database, teller: Teller) -> None:

    with pytest.raises(asyncpg.CheckViolationError, match="ck_outbox_subject"):
        await teller.tell("a", subject="inbox.messaging.v1.all things")

    assert await in_the_log(worker) == []


async def test_writers_and_a_sequencer_give_each_position_once_and_keep_each_order(
    app: Database, worker: Database
) -> None:
    told: list[int] = []

    async def write(teller: Teller, name: str) -> None:
        for number in range(0, 60, 2):
            told.extend(event.gpos for event in await teller.tell(f"{name} {number:02}"))
            # As a slow path does, in the same order.
            await emit(app, teller.workspace_id, f"{name} {number + 1:02}")

    async with AsyncExitStack() as tellers, asyncio.TaskGroup() as group:
        writing = [
            group.create_task(write(await tellers.enter_async_context(a_teller(worker)), name))
            for name in "abc"
        ]
        while not all(task.done() for task in writing):
            await sequence_all(worker)
    await sequence_all(worker)

    log = await in_the_log(worker)
    assert [gpos for gpos, _ in log] == list(range(1, 181))
    for name in "abc":
        said = [text for _, text in log if text.startswith(name)]
        assert said == [f"{name} {number:02}" for number in range(60)]
    assert told, "nothing was told at once: the test shows nothing"


async def test_what_was_told_beside_a_relay_that_stands_by_is_hinted_and_published(
    worker: Database, nats_url: str, teller: Teller
) -> None:
    hinted: list[str] = []
    async with connected_bus(nats_url) as bus:
        working, standing_by = Relay(worker, bus, STREAM), Relay(worker, bus, STREAM)
        stream = EventStream(bus, STREAM)
        await bus.subscribe(
            subject_of(DOMAIN),
            hints.reader(lambda event: hinted.append(event.payload.decode())),
        )
        async with running(working.run, working.tell_taken):
            await until(lambda: working.is_active)
            async with running(standing_by.run, standing_by.tell_taken):
                standing_by.take(await teller.tell("a"))
                await until(lambda: hinted == ["a"])
                working.take(await teller.tell("b"))
                await until(lambda: hinted == ["a", "b"])
                await until(lambda: _holds(stream, ["a", "b"]))

        assert not standing_by.is_active


async def test_telling_never_waits_for_nats(worker: Database, teller: Teller) -> None:
    relay = Relay(worker, Bus("nats://127.0.0.1:1", name="test"), STREAM)
    async with running(relay.tell_taken):
        for number in range(MAX_TAKEN + 10):
            relay.take([Event(number, "", "", teller.workspace_id, "inbox.a.v1.b.c", "", b"", "")])
        told = await asyncio.wait_for(teller.tell("a"), 5)

    assert [event.gpos for event in told] == [1]


async def _holds(stream: EventStream, payloads: Sequence[str]) -> bool:
    state = await stream.state()
    return state is not None and await stream_payloads(stream) == payloads
