"""The relay: each committed event once, at the sequence equal to its position."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.bus import Bus, BusUnavailable
from chassis.clock import Clock
from chassis.database import Database
from chassis.events import Event
from chassis.hints import events_of, subject_of
from chassis.relay import Relay
from chassis.stream import EventStream
from tests.servers import breakable_nats
from tests.service.chassis.eventing import (
    STREAM,
    a_workspace,
    connected_bus,
    emit,
    last_gpos,
    running,
    stream_payloads,
    until,
)


async def is_published(stream: EventStream, gpos: int) -> bool:
    try:
        state = await stream.state()
    except BusUnavailable:
        return False
    return state is not None and state.last_seq == gpos


@pytest.mark.parametrize("count", [1, 3, 8, 9, 40])
async def test_events_of_one_commit_reach_the_stream_in_order_with_everything_they_say(
    app: Database, worker: Database, nats_url: str, count: int
) -> None:
    workspace = a_workspace()
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await emit(app, workspace, *(str(n) for n in range(count)), key="thread-1")

        async with running(relay.run):
            await until(lambda: is_published(stream, count))

        events = await stream.read(1)
    assert [event.payload for event in events] == [str(n).encode() for n in range(count)]
    first = events[0]
    assert (first.gpos, first.event, first.workspace_id, first.ordering_key) == (
        1,
        "message_created",
        workspace,
        "thread-1",
    )
    assert first.subject == f"inbox.messaging.v1.message_created.{workspace}"
    assert first.time == datetime(2026, 11, 23, 12, tzinfo=UTC)
    async with worker.begin() as transaction:
        assert first.epoch == await transaction.raw.fetchval("SELECT log_epoch FROM log_state")
        assert await transaction.raw.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_live_hint_says_the_same_as_the_stream(
    app: Database, worker: Database, nats_url: str
) -> None:
    hints: list[Event] = []
    workspace = a_workspace()
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await bus.subscribe(
            subject_of("messaging"),
            lambda message: hints.extend(events_of(message.data)),
        )
        async with running(relay.run):
            await until(lambda: relay.is_active)
            await emit(app, workspace, "a", "b", wake=relay.wake)
            await until(lambda: len(hints) == 2)
            await until(lambda: is_published(stream, 2))

        assert hints == await stream.read(1)


async def test_events_committed_while_nats_is_down_are_published_when_it_is_back(
    app: Database, worker: Database, tmp_path: Path
) -> None:
    workspace = a_workspace()
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(bus.run, relay.run):
            await emit(app, workspace, "before")
            await until(lambda: is_published(stream, 1))
            await server.in_thread(server.kill)

            for number in range(30):
                await emit(app, workspace, f"down-{number}", wake=relay.wake)
            assert relay.missing() is None
            server.start()

            await bus.wait_connected()
            await until(lambda: is_published(stream, 31))
            found = await stream_payloads(stream)
    assert found == ["before", *(f"down-{number}" for number in range(30))]


async def test_a_wiped_store_gets_the_same_events_at_the_same_sequences(
    app: Database, worker: Database, tmp_path: Path
) -> None:
    workspace = a_workspace()
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(bus.run, relay.run):
            await bus.wait_connected()
            for number in range(40):
                await emit(app, workspace, f"{number}", wake=relay.wake)
            await until(lambda: is_published(stream, 40))
            before = await stream.read(1)
            async with worker.begin() as transaction:
                await transaction.raw.execute("DELETE FROM events WHERE gpos <= 10")

            await server.in_thread(server.kill)
            server.wipe()
            server.start()
            await bus.wait_connected()
            await until(lambda: is_published(stream, 40))
            state = await stream.state()

            assert state is not None
            assert state.first_seq == 11
            assert await stream.read(1) == before[10:]


async def test_a_stream_deleted_while_nothing_happens_is_made_again(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(relay.run):
            await emit(app, a_workspace(), "a", "b")
            await until(lambda: is_published(stream, 2))

            await stream.delete()

            await until(lambda: is_published(stream, 2), within=3)


async def test_a_stream_of_another_epoch_is_refused_and_readiness_says_so(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await stream.create(log_epoch="another-life", first_seq=1)
        await emit(app, a_workspace(), "a")

        async with running(relay.run):
            await until(lambda: relay.missing() is not None)

            assert "another-life" in (relay.missing() or "")
            assert await is_published(stream, 0)


async def test_a_stream_ahead_of_the_database_is_refused(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(relay.run):
            await emit(app, a_workspace(), "a", "b", "c")
            await until(lambda: is_published(stream, 3))
        async with worker.begin() as transaction:
            await transaction.raw.execute("DELETE FROM events WHERE gpos = 3")
            await transaction.raw.execute("UPDATE log_state SET last_gpos = 2")

        again = Relay(worker, bus, STREAM)
        async with running(again.run):
            await until(lambda: again.missing() is not None)

        assert "restored" in (again.missing() or "")


async def test_a_standing_by_replica_wakes_the_working_one_and_takes_over_when_it_goes(
    app: Database, worker: Database, nats_url: str
) -> None:
    workspace = a_workspace()
    async with connected_bus(nats_url) as bus, connected_bus(nats_url) as other_bus:
        first, second = Relay(worker, bus, STREAM), Relay(worker, other_bus, STREAM)
        stream = EventStream(bus, STREAM)
        async with running(second.run):
            async with running(first.run):
                await until(lambda: first.is_active or second.is_active)
                idle = second if first.is_active else first
                assert not idle.is_active
                await emit(app, workspace, "a", wake=idle.wake)
                await until(lambda: is_published(stream, 1))
            await until(lambda: second.is_active, within=5)
            await emit(app, workspace, "b", wake=second.wake)
            await until(lambda: is_published(stream, 2))


class ClockAt(Clock):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, span: timedelta) -> None:
        await asyncio.sleep(0.01)


async def test_only_events_that_are_old_and_published_are_forgotten(
    app: Database, worker: Database, nats_url: str
) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    old, young = now - timedelta(days=8), now - timedelta(days=6)
    workspace = a_workspace()
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM, clock=ClockAt(now)), EventStream(bus, STREAM)
        for at in (old, old, young, old):
            await emit(app, workspace, "x", at=at)

        async with running(relay.run):
            await until(lambda: is_published(stream, 4))

            async def kept() -> list[int]:
                async with worker.begin() as transaction:
                    rows = await transaction.raw.fetch("SELECT gpos FROM events ORDER BY gpos")
                    return [row["gpos"] for row in rows]

            async def only_the_dense_rest_is_left() -> bool:
                return await kept() == [3, 4]

            await until(only_the_dense_rest_is_left)

    assert await last_gpos(worker) == 4


async def test_a_backlog_larger_than_memory_is_read_from_the_log(
    app: Database, worker: Database, nats_url: str
) -> None:
    workspace = a_workspace()
    for start in range(0, 2600, 100):
        await emit(app, workspace, *(str(start + n) for n in range(100)))
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(relay.run):
            await until(lambda: is_published(stream, 2600), within=30)

        assert await stream_payloads(stream) == [str(n) for n in range(2600)]


async def test_events_of_the_largest_size_do_not_stop_the_relay(
    app: Database, worker: Database, nats_url: str
) -> None:
    workspace = a_workspace()
    large = "x" * (256 * 1024)
    for _ in range(12):
        await emit(app, workspace, large, large)
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(relay.run):
            await until(lambda: is_published(stream, 24), within=30)
