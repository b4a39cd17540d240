"""A feed: every event once, in order, whatever of hints and stream is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chassis.bus import Bus
from chassis.database import Database
from chassis.event_log import EventLog
from chassis.events import Event
from chassis.feed import AnotherLog, Feed
from chassis.messages import Outgoing
from chassis.new_epoch import begin_epoch
from chassis.owners_log import LogExpired
from chassis.relay import Relay
from chassis.stream import EventStream
from tests.servers import breakable_nats
from tests.service.chassis.eventing import (
    STREAM,
    LocalLog,
    LossyRelay,
    NoEntities,
    a_workspace,
    connected_bus,
    emit,
    running,
    until,
)
from tests.service.chassis.test_relay import is_published


async def epoch_of(worker: Database) -> str:
    async with worker.begin() as transaction:
        epoch: str = await transaction.raw.fetchval("SELECT log_epoch FROM log_state")
        return epoch


def owner_of(worker: Database) -> LocalLog:
    return LocalLog(EventLog(worker, NoEntities()))


async def read(feed: Feed, count: int, within: float = 8) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(within):
        while len(events) < count:
            events += await feed.next()
    return events


@pytest.mark.parametrize(("lose", "repeat"), [(0.0, 0.0), (1.0, 0.0), (0.3, 0.5), (0.02, 0.0)])
async def test_lost_and_repeated_hints_change_nothing(
    app: Database, worker: Database, nats_url: str, lose: float, repeat: float
) -> None:
    workspace = a_workspace()
    async with connected_bus(nats_url) as bus:
        relay = LossyRelay(worker, bus, STREAM)
        relay.mistreat(7, lose=lose, repeat=repeat)
        owner = owner_of(worker)
        async with (
            running(relay.run),
            Feed(bus, STREAM, owner, log_epoch=await epoch_of(worker), gpos=0) as feed,
        ):
            for number in range(150):
                await emit(app, workspace, f"{number}a", f"{number}b", wake=relay.wake)

            events = await read(feed, 300)

    assert [event.gpos for event in events] == list(range(1, 301))
    assert [event.payload.decode() for event in events] == [
        f"{number}{letter}" for number in range(150) for letter in "ab"
    ]
    assert owner.reads == 0


async def test_the_newest_hint_lost_in_a_quiet_stream_is_found_in_a_moment(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay = LossyRelay(worker, bus, STREAM)
        relay.mistreat(1, lose=1.0)
        async with (
            running(relay.run),
            Feed(bus, STREAM, owner_of(worker), log_epoch=await epoch_of(worker), gpos=0) as feed,
        ):
            await until(lambda: relay.is_active)
            await emit(app, a_workspace(), "a", wake=relay.wake)
            assert [event.payload for event in await read(feed, 1, within=1)] == [b"a"]


async def test_an_event_erased_from_the_stream_comes_from_its_owner(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        async with running(relay.run):
            await emit(app, a_workspace(), *(str(n) for n in range(20)))
            await until(lambda: is_published(stream, 20))
            erase = f"$JS.API.STREAM.MSG.DELETE.{STREAM}"
            for gpos in (1, 7, 8, 20):
                await bus.request(Outgoing(erase, json.dumps({"seq": gpos}).encode()))
            await emit(app, a_workspace(), "20")

            epoch = await epoch_of(worker)
            async with Feed(bus, STREAM, owner_of(worker), log_epoch=epoch, gpos=0) as feed:
                events = await read(feed, 21)

    assert [event.payload.decode() for event in events] == [str(n) for n in range(21)]


async def test_a_hole_that_the_stream_cannot_fill_is_read_from_the_owner(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = LossyRelay(worker, bus, STREAM), EventStream(bus, STREAM)
        relay.mistreat(3, lose=0.5)
        async with running(relay.run):
            await emit(app, a_workspace(), "0")
            await until(lambda: is_published(stream, 1))
        await stream.delete()
        relay = LossyRelay(worker, bus, STREAM)
        relay.mistreat(3, lose=0.5)

        async def no_publisher() -> None:
            await asyncio.sleep(60)

        relay.publisher.run = no_publisher  # type: ignore[method-assign]
        async with (
            Feed(bus, STREAM, owner_of(worker), log_epoch=await epoch_of(worker), gpos=0) as feed,
            running(relay.run),
        ):
            await until(lambda: relay.is_active)
            await emit(app, a_workspace(), *(str(n) for n in range(1, 40)), wake=relay.wake)
            # Hints of some of them arrived, so the others are known to be missing.
            events = await read(feed, 30)

    assert [event.gpos for event in events] == list(range(1, len(events) + 1))


async def test_events_older_than_what_is_kept_are_told_as_expired(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await emit(app, a_workspace(), "a", "b", "c")
        async with running(relay.run):
            await until(lambda: is_published(stream, 3))
            async with worker.begin() as transaction:
                await transaction.raw.execute("DELETE FROM events WHERE gpos < 3")
            await stream.delete()
            await until(lambda: is_published(stream, 3))

            epoch = await epoch_of(worker)
            async with Feed(bus, STREAM, owner_of(worker), log_epoch=epoch, gpos=0) as feed:
                with pytest.raises(LogExpired):
                    await read(feed, 1)


async def test_a_new_life_of_the_log_is_noticed_by_its_first_event(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await emit(app, a_workspace(), "a")
        async with (
            running(relay.run),
            Feed(bus, STREAM, owner_of(worker), log_epoch=await epoch_of(worker), gpos=0) as feed,
        ):
            await read(feed, 1)
            await begin_epoch(worker, stream)
            await emit(app, a_workspace(), "b", wake=relay.wake)
            with pytest.raises(AnotherLog):
                await read(feed, 1)


async def test_a_log_that_went_back_without_a_new_life_is_noticed_too(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        await emit(app, a_workspace(), "a")
        async with running(relay.run):
            await until(lambda: is_published(stream, 1))
            epoch = await epoch_of(worker)
            async with Feed(bus, STREAM, owner_of(worker), log_epoch=epoch, gpos=5) as feed:
                with pytest.raises(AnotherLog):
                    await read(feed, 1)


async def test_a_reader_goes_on_through_a_restart_and_a_wipe_of_nats(
    app: Database, worker: Database, tmp_path: Path
) -> None:
    workspace = a_workspace()
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        relay = Relay(worker, bus, STREAM)
        epoch = await epoch_of(worker)
        async with running(bus.run, relay.run):
            await bus.wait_connected()
            async with Feed(bus, STREAM, owner_of(worker), log_epoch=epoch, gpos=0) as feed:
                events: list[Event] = []
                for round_number in range(3):
                    for number in range(20):
                        await emit(app, workspace, f"{round_number}-{number}", wake=relay.wake)
                        if number == 10:
                            await server.in_thread(server.kill)
                            if round_number:
                                server.wipe()
                            server.start()
                    events += await read(feed, 20 * (round_number + 1) - len(events), within=20)

    assert [event.gpos for event in events] == list(range(1, 61))


async def test_a_slow_reader_gets_everything_later(
    app: Database, worker: Database, nats_url: str
) -> None:
    async with connected_bus(nats_url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        epoch = await epoch_of(worker)
        async with (
            running(relay.run),
            Feed(bus, STREAM, owner_of(worker), log_epoch=epoch, gpos=0) as feed,
        ):
            for start in range(0, 5000, 500):
                await emit(
                    app, a_workspace(), *(str(start + n) for n in range(500)), wake=relay.wake
                )
            await until(lambda: is_published(stream, 5000), within=30)

            events = await read(feed, 5000, within=30)

    assert [event.payload.decode() for event in events] == [str(n) for n in range(5000)]
