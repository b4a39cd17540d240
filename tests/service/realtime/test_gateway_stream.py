"""Many workspaces on one stream: each hears what its own Watch would tell, and no more."""

from __future__ import annotations

import asyncio
import random

import pytest

from chassis.errors import Fault, FieldInvalid
from chassis.rpc.faults import fault_in
from services.realtime.model import GatewayTooSlow, Room
from services.realtime.model import room as room_module
from tests.service.chassis.eventing import a_workspace, until
from tests.service.realtime.gateway import Gateway, Request
from tests.service.realtime.stage import Client, Replica, Stage
from tests.service.realtime.test_watch import settle, write

BOUND = "services.realtime.model.bundle.MAX_BYTES"


def some_clients(count: int) -> list[Client]:
    return [Client(a_workspace()) for _ in range(count)]


async def all_standing(clients: list[Client]) -> None:
    """Until each has a position."""
    await until(lambda: all(client.position for client in clients))


def why(reading: asyncio.Task[None]) -> Fault | None:
    """What ended a stream."""
    error = reading.exception()
    return fault_in(error) if error is not None else None


async def test_each_workspace_hears_its_own_events_in_order_and_no_others(
    stage: Stage, replica: Replica
) -> None:
    clients, gateway = some_clients(6), Gateway()
    async with gateway.watching(replica):
        gateway.begin(*clients)
        await all_standing(clients)

        expected = await write(stage, [client.workspace for client in clients], 150, seed=11)
        await until(lambda: sum(client.count for client in clients) >= 150)

    for client in clients:
        assert client.seen == expected[client.workspace]
        assert client.resyncs == 0


async def test_what_gathers_within_a_tick_is_one_message(stage: Stage, replica: Replica) -> None:
    clients, gateway = some_clients(50), Gateway()

    async with gateway.watching(replica):
        gateway.begin(*clients)
        await all_standing(clients)

    assert gateway.messages < len(clients) / 2


async def test_a_gateway_goes_from_replica_to_replica_without_gap_or_repeat(
    stage: Stage, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "MAX_ENTRIES", 5)
    clients, gateway, dice = some_clients(4), Gateway(), random.Random(12)
    gateway.begin(*clients)
    async with stage.replica(nats_url) as one, stage.replica(nats_url) as other:
        async with gateway.watching(one):
            await all_standing(clients)
        async with asyncio.TaskGroup() as group:
            workspaces = [client.workspace for client in clients]
            writing = group.create_task(write(stage, workspaces, 200, seed=12))
            while sum(client.count for client in clients) < 200:
                async with gateway.watching(dice.choice((one, other))):
                    await asyncio.sleep(dice.random() * 0.2)

    for client in clients:
        assert client.seen == writing.result()[client.workspace]
        assert client.resyncs == 0


async def test_a_workspace_that_catches_up_from_the_streams_holds_up_no_neighbour(
    stage: Stage, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, neighbour = some_clients(2)
    await away.follow(replica, frames=2)
    expected = await write(stage, [away.workspace], 60, seed=13)
    await settle(stage, replica)
    replica.live.rooms.enter(away.workspace).forget()
    is_let_go = asyncio.Event()
    read = replica.replay.events

    def held_up(*asked: object) -> object:
        async def events() -> object:
            await is_let_go.wait()
            async for event in read(*asked):  # type: ignore[arg-type]
                yield event

        return events()

    monkeypatch.setattr(replica.replay, "events", held_up)
    gateway = Gateway()
    async with gateway.watching(replica):
        gateway.begin(away, neighbour)
        await all_standing([neighbour])
        await stage.emit(neighbour.workspace, "messaging", "now")
        await until(lambda: neighbour.count == 1)
        assert away.count == 0
        is_let_go.set()
        await until(lambda: away.count == 60)

    assert away.seen == expected[away.workspace]
    assert away.resyncs == 0


async def test_a_position_that_leads_nowhere_is_answered_once_by_resync_for_that_workspace(
    stage: Stage, replica: Replica
) -> None:
    lost, neighbour = some_clients(2)
    lost.position = "nowhere"
    gateway = Gateway()
    async with gateway.watching(replica):
        gateway.begin(lost, neighbour)
        await until(lambda: lost.resyncs == 1)
        await all_standing([neighbour])
        await stage.emit(lost.workspace, "messaging", "after")
        await until(lambda: lost.count == 1)

    assert (lost.resyncs, neighbour.resyncs) == (1, 0)


async def test_a_workspace_that_was_ended_is_told_no_more_and_begins_again_where_it_was(
    stage: Stage, replica: Replica
) -> None:
    client, neighbour = some_clients(2)
    gateway = Gateway()
    async with gateway.watching(replica):
        gateway.begin(client, neighbour)
        await all_standing([client, neighbour])
        gateway.end(client)
        await until(lambda: not guests(replica, client))
        await stage.emit(client.workspace, "messaging", "missed")
        await stage.emit(neighbour.workspace, "messaging", "heard")
        await until(lambda: neighbour.count == 1)
        assert gateway.strays == 0

        gateway.begin(client)
        await until(lambda: client.count == 1)

    assert client.seen["messaging"] == ["missed"]
    assert not guests(replica, client)
    assert not guests(replica, neighbour)


def guests(replica: Replica, client: Client) -> int:
    room: Room | None = replica.live.rooms.find(client.workspace)
    return room.guests if room is not None else 0


async def test_a_gateway_that_does_not_read_is_ended_at_a_bound_and_resumes(
    stage: Stage, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, gateway = Client(a_workspace()), Gateway()
    quick = Client(slow.workspace)
    async with gateway.watching(replica) as reading:
        gateway.begin(slow)
        await all_standing([slow])
        async with asyncio.TaskGroup() as group:
            following = group.create_task(quick.follow(replica, until_count=30))
            await until(lambda: guests(replica, slow) == 2)
            # Nothing that gathers fits any more, as if the gateway had read nothing for long.
            monkeypatch.setattr(BOUND, 1_000)
            await stage.emit(slow.workspace, "messaging", *[f"{number}" for number in range(30)])
            await following
        await asyncio.wait([reading], timeout=5)
        fault = why(reading)
    monkeypatch.undo()
    async with gateway.watching(replica):
        await until(lambda: slow.count == 30)

    assert isinstance(fault, GatewayTooSlow)
    assert slow.seen == quick.seen
    assert slow.resyncs == 0


@pytest.mark.parametrize("kind", ["a ref twice", "no workspace"])
async def test_a_request_that_cannot_be_meant_ends_the_stream_and_leaves_every_room(
    stage: Stage, replica: Replica, kind: str
) -> None:
    client, gateway = Client(a_workspace()), Gateway()
    async with gateway.watching(replica) as reading:
        gateway.begin(client)
        await all_standing([client])
        request = Request()
        workspace_id = client.workspace if kind == "a ref twice" else "somewhere"
        request.begin.add(ref=1 if kind == "a ref twice" else 2, workspace_id=workspace_id)
        gateway.ask(request)
        await asyncio.wait([reading], timeout=5)

        assert isinstance(why(reading), FieldInvalid)
        assert not guests(replica, client)


async def test_presence_is_told_to_who_watches_and_only_in_its_newest_form(
    stage: Stage, replica: Replica
) -> None:
    client, neighbour = some_clients(2)
    gateway = Gateway()
    async with gateway.watching(replica):
        gateway.begin(client, neighbour)
        await all_standing([client, neighbour])
        for number in range(3):
            replica.live.tell_writing(client.workspace, "c", is_writing=number < 2)
        await until(lambda: bool(client.ai_writing))

    assert client.ai_writing == [("c", False)]
    assert neighbour.ai_writing == []
