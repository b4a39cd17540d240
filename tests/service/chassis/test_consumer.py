"""Consumers: each event's effect once and in order; what cannot be applied stands aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import cursor, parking
from chassis.bus import Bus
from chassis.cursor import Cursor
from chassis.database import Database, Transaction
from chassis.dead_letters import DeadLetters
from chassis.new_epoch import begin_epoch
from inbox.event import v1 as event_v1
from tests.servers import breakable_nats
from tests.service.chassis.consuming import NAME, Desk, Entities, desk_on
from tests.service.chassis.eventing import (
    a_workspace,
    connected_bus,
    effect_count,
    effects,
    emit,
    running,
    until,
)


@pytest.fixture
async def desk(app: Database, worker: Database, nats_url: str) -> AsyncIterator[Desk]:
    async with connected_bus(nats_url) as bus, desk_on(app, worker, bus) as desk:
        yield desk


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "RETRY_AFTER", (timedelta(milliseconds=10),) * 4)
    monkeypatch.setattr("chassis.consumer.RETRY_POLL", timedelta(milliseconds=20))


async def test_every_event_of_every_workspace_is_applied_once_and_in_order(desk: Desk) -> None:
    workspaces = [a_workspace() for _ in range(5)]
    await desk.place_cursor(0)

    async with running(desk.consumer().run):
        for number in range(100):
            await desk.emit(workspaces[number % 5], f"{number}")
        await desk.until_applied(100)

    rows = await effects(desk.worker)
    assert sorted(row["gpos"] for row in rows) == list(range(1, 101))
    for workspace in workspaces:
        mine = [int(row["payload"]) for row in rows if str(row["workspace_id"]) == workspace]
        assert mine == sorted(mine)
        assert len(mine) == 20


async def test_a_consumer_that_was_away_goes_on_where_it_stood(desk: Desk) -> None:
    workspace = a_workspace()
    await desk.place_cursor(0)
    for _ in range(3):
        async with running(desk.consumer().run):
            await desk.emit(workspace, "a", "b")
            await desk.until_applied(await effect_count(desk.worker) + 1)
        await desk.emit(workspace, "c")
    async with running(desk.consumer().run):
        await desk.until_applied(9)

    assert [row["gpos"] for row in await effects(desk.worker)] == list(range(1, 10))


async def applied_by_two_readers_without_a_lock(desk: Desk) -> list[str]:
    """What became of sixty events."""
    workspace = a_workspace()
    await desk.place_cursor(0)

    one, other = desk.consumer(is_exclusive=False), desk.consumer(is_exclusive=False)
    async with running(one.run, other.run):
        for number in range(60):
            await desk.emit(workspace, f"{number}")
            await asyncio.sleep(0.005)
        await desk.until_applied(60)
        await asyncio.sleep(0.3)

    return await desk.applied()


async def test_two_readers_without_a_lock_do_no_harm(desk: Desk) -> None:
    assert await applied_by_two_readers_without_a_lock(desk) == list(map(str, range(60)))


async def test_negative_control_without_the_cursors_check_two_readers_double_effects(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def believe(transaction: Transaction, consumer: str, expected: Cursor) -> None:
        await cursor.load(transaction, consumer)

    monkeypatch.setattr("chassis.cursor.claim", believe)

    assert await applied_by_two_readers_without_a_lock(desk) != list(map(str, range(60)))


async def test_a_second_reader_stands_by_and_takes_over(desk: Desk) -> None:
    workspace = a_workspace()
    await desk.place_cursor(0)
    first, second = desk.consumer(), desk.consumer()

    async with running(second.run):
        async with running(first.run):
            await until(lambda: first.is_active or second.is_active)
            await asyncio.sleep(0.2)
            assert not (first.is_active and second.is_active)
            await desk.emit(workspace, "a")
            await desk.until_applied(1)
        await desk.emit(workspace, "b")
        await desk.until_applied(2, within=5)

    assert await desk.applied() == ["a", "b"]


@pytest.mark.usefixtures("quick_retries")
async def test_a_poison_event_stands_aside_and_only_its_own_conversation_waits(desk: Desk) -> None:
    workspace, other = a_workspace(), a_workspace()
    desk.effects.poisons = {b"poison"}
    await desk.place_cursor(0)

    async with running(desk.consumer().run):
        await desk.emit(workspace, "a1", "poison", "a2", key="a")
        await desk.emit(workspace, "b1", key="b")
        # The same key in another workspace is another conversation.
        await desk.emit(other, "c1", key="a")
        await desk.until_applied(3, within=2)
        assert sorted(await desk.applied()) == ["a1", "b1", "c1"]

        async def is_dead() -> bool:
            return await desk.parked() == [("poison", "dead"), ("a2", "queued")]

        await until(is_dead)
        await desk.emit(workspace, "a3", key="a")
        await desk.emit(workspace, "b2", key="b")
        await desk.until_applied(4)
        assert await desk.parked() == [("poison", "dead"), ("a2", "queued"), ("a3", "queued")]

        desk.effects.poisons = set()
        letters = DeadLetters(desk.worker)
        redrive = event_v1.RedriveDeadLettersRequest(consumer=NAME)
        assert (await letters.RedriveDeadLetters(redrive, None)).redriven_count == 1
        await desk.until_applied(7)
        await desk.emit(workspace, "a4", key="a")
        await desk.until_applied(8)

    applied = await desk.applied()
    assert [name for name in applied if name[0] in "ap"] == ["a1", "poison", "a2", "a3", "a4"]
    assert await desk.parked() == []


@pytest.mark.usefixtures("quick_retries")
async def test_an_event_that_fails_for_a_while_is_applied_by_itself_later(desk: Desk) -> None:
    workspace = a_workspace()
    desk.effects.poisons = {b"sick"}
    await desk.place_cursor(0)

    async with running(desk.consumer().run):
        await desk.emit(workspace, "sick", "next", key="a")

        async def is_parked() -> bool:
            return len(await desk.parked()) == 2

        await until(is_parked)
        desk.effects.poisons = set()
        await desk.until_applied(2)

    assert await desk.applied() == ["sick", "next"]


async def test_dead_letters_name_the_error_without_the_customers_words(desk: Desk) -> None:
    desk.effects.poisons = {b"poison"}
    await desk.place_cursor(0)
    async with running(desk.consumer().run):
        await desk.emit(a_workspace(), "poison", key="a")

        async def is_parked() -> bool:
            return len(await desk.parked()) == 1

        await until(is_parked)

    letters = DeadLetters(desk.worker)
    listed = (await letters.ListDeadLetters(event_v1.ListDeadLettersRequest(), None)).dead_letters
    assert len(listed) == 1
    assert listed[0].last_error.startswith("ValueError eventing.py:")
    assert "customer" not in listed[0].last_error
    assert (listed[0].consumer, listed[0].gpos, listed[0].attempt_count) == (NAME, 1, 1)


async def test_many_poisons_in_one_batch_leave_the_others_alone(desk: Desk) -> None:
    workspace = a_workspace()
    desk.effects.poisons = {f"{number}".encode() for number in range(0, 200, 17)}
    await desk.place_cursor(0)
    async with desk.app.begin(workspace):
        pass
    for number in range(200):
        await emit(desk.app, workspace, f"{number}", key=f"key-{number}")

    async with running(desk.consumer().run):
        await desk.until_applied(200 - len(desk.effects.poisons))

    assert len(await desk.parked()) == len(desk.effects.poisons)


async def test_a_wiped_stream_under_a_running_consumer_heals(
    app: Database, worker: Database, tmp_path: Path
) -> None:
    workspace = a_workspace()
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        async with running(bus.run):
            await bus.wait_connected()
            async with desk_on(app, worker, bus) as desk:
                await desk.place_cursor(0)
                async with running(desk.consumer().run):
                    for number in range(60):
                        await desk.emit(workspace, f"{number}")
                        if number in {15, 35}:
                            await server.in_thread(server.kill)
                            server.wipe()
                            server.start()
                        if number == 50:
                            await bus.wait_connected()
                            await desk.stream.delete()
                    await desk.until_applied(60, within=20)

                assert await desk.applied() == [str(number) for number in range(60)]


async def test_a_new_consumer_starts_from_the_owners_entities(
    app: Database, worker: Database, nats_url: str
) -> None:
    here, there = a_workspace(), a_workspace()
    entities = Entities({here: [f"h{n}" for n in range(7)], there: ["t1"]})
    async with (
        connected_bus(nats_url) as bus,
        desk_on(app, worker, bus, entities) as desk,
    ):
        await desk.emit(here, "before")
        await desk.emit(there, "before too")

        async def is_sequenced() -> bool:
            async with worker.begin() as transaction:
                count: int = await transaction.raw.fetchval("SELECT count(*) FROM events")
                return count == 2

        await until(is_sequenced)
        async with running(desk.consumer().run):
            await desk.until_applied(8)
            await desk.emit(here, "after")
            await desk.until_applied(9)

        rows = await effects(worker)
        assert {row["payload"] for row in rows[:8]} == {*entities.by_workspace[here], "t1"}
        assert {row["gpos"] for row in rows[:8]} == {0}
        assert (rows[8]["payload"], rows[8]["gpos"]) == ("after", 3)


@pytest.mark.usefixtures("quick_retries")
async def test_an_entity_that_cannot_be_applied_does_not_stop_a_rebuild(
    app: Database, worker: Database, nats_url: str
) -> None:
    workspace = a_workspace()
    entities = Entities({workspace: ["a", "b", "c"]})
    async with (
        connected_bus(nats_url) as bus,
        desk_on(app, worker, bus, entities) as desk,
    ):
        desk.effects.poisons = {b"b"}
        await desk.emit(workspace, "x", key="x")
        await until(lambda: desk.relay.publisher.published_gpos == 1)
        async with running(desk.consumer().run):
            await desk.until_applied(2)
            await desk.emit(workspace, "b's next", key="b")
            await desk.emit(workspace, "c's next", key="c")
            await desk.until_applied(3)
            assert sorted(await desk.applied()) == ["a", "c", "c's next"]
            desk.effects.poisons = set()
            letters = DeadLetters(worker)

            async def redriven() -> bool:
                request = event_v1.RedriveDeadLettersRequest(consumer=NAME)
                await letters.RedriveDeadLetters(request, None)
                return await effect_count(worker) == 5

            await until(redriven)

        assert (await desk.applied())[3:] == ["b", "b's next"]


@pytest.mark.parametrize("how", ["expired", "new epoch"])
async def test_a_consumer_that_cannot_go_on_rebuilds_and_goes_on(
    app: Database, worker: Database, nats_url: str, how: str
) -> None:
    workspace = a_workspace()
    entities = Entities({workspace: ["entity"]})
    async with (
        connected_bus(nats_url) as bus,
        desk_on(app, worker, bus, entities) as desk,
    ):
        await desk.emit(workspace, "a", "b", "c")
        await until(lambda: desk.relay.publisher.published_gpos == 3)
        await desk.place_cursor(1)
        if how == "expired":
            async with worker.begin() as transaction:
                await transaction.raw.execute("DELETE FROM events WHERE gpos < 3")
            await desk.stream.delete()
        else:
            await begin_epoch(worker, desk.stream)
        swept: list[str] = []

        async def sweep(epoch: str) -> None:
            swept.append(epoch)

        async with running(desk.consumer(on_rebuilt=sweep).run):
            await desk.until_applied(1, within=15)
            await desk.emit(workspace, "after")
            await desk.until_applied(2)

        rows = await effects(worker)
        assert [row["payload"] for row in rows] == ["entity", "after"]
        stand = await desk.cursor()
        assert stand is not None
        assert (stand.log_epoch, stand.gpos) == (swept[-1], 4)
        assert rows[1]["log_epoch"] == stand.log_epoch


async def test_a_database_that_is_away_for_a_while_parks_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = a_workspace()
    await desk.place_cursor(0)
    consumer = desk.consumer()
    async with running(consumer.run):
        for number in range(30):
            await desk.emit(workspace, f"{number}")
            if number % 10 == 5:
                async with desk.worker.begin() as transaction:
                    await transaction.raw.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND usename = current_user "
                        "AND datname = current_database()"
                    )
        await desk.until_applied(30, within=15)

    assert await desk.applied() == [str(number) for number in range(30)]
    assert await desk.parked() == []
