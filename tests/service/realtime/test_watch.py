"""Watching: gapless, resumable at any replica, and never in a loop."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.ids import WorkspaceId
from chassis.new_epoch import begin_epoch
from inbox.realtime import v1 as realtime_v1
from services.realtime.actions import watching
from services.realtime.model import room as room_module
from services.realtime.model.watcher import WatcherTooSlow
from suite.databases import DatabaseUrls
from tests.servers import breakable_nats
from tests.service.chassis.eventing import a_workspace, until
from tests.service.realtime.stage import DOMAINS, Client, Replica, Stage, a_stage


async def settle(stage: Stage, *replicas: Replica) -> None:
    """Until every replica has read everything there is."""

    async def is_settled() -> bool:
        stands = []
        for domain in DOMAINS:
            async with stage.publishers[domain].worker.begin() as transaction:
                row = await transaction.raw.fetchrow(
                    "SELECT last_gpos, EXISTS (SELECT FROM outbox) AS waiting FROM log_state"
                )
                assert row is not None
                if row["waiting"]:
                    return False
                stands.append(row["last_gpos"])
        return all(replica.live.vector == tuple(stands) for replica in replicas)

    await until(is_settled, within=20)


async def write(
    stage: Stage, workspaces: list[WorkspaceId], count: int, seed: int
) -> dict[WorkspaceId, dict[str, list[str]]]:
    """Emit events of all domains for several workspaces; what each should see."""
    dice = random.Random(seed)
    expected: dict[WorkspaceId, dict[str, list[str]]] = {
        one: {domain: [] for domain in DOMAINS} for one in workspaces
    }
    for number in range(count):
        workspace, domain = dice.choice(workspaces), dice.choice(DOMAINS)
        label = f"{seed}-{number}"
        expected[workspace][domain].append(label)
        await stage.emit(workspace, domain, label)
        if dice.random() < 0.2:
            await asyncio.sleep(0.01)
    return expected


async def test_a_watcher_sees_every_event_of_its_workspace_and_no_other(
    stage: Stage, replica: Replica
) -> None:
    here, elsewhere = a_workspace(), a_workspace()
    client = Client(here)
    await client.follow(replica, frames=2)
    assert client.position

    expected = await write(stage, [here, elsewhere], 120, seed=1)
    total = sum(map(len, expected[here].values()))
    await client.follow(replica, until_count=total)

    assert client.seen == expected[here]
    assert client.resyncs == 0


@pytest.mark.parametrize(("lose", "repeat"), [(0.3, 0.5), (1.0, 0.0)])
async def test_lost_and_repeated_hints_leave_no_gap_and_no_repeat(
    stage: Stage, replica: Replica, lose: float, repeat: float
) -> None:
    workspace = a_workspace()
    for publisher in stage.publishers.values():
        publisher.relay.lose, publisher.relay.repeat = lose, repeat
    client = Client(workspace)
    await client.follow(replica, frames=2)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(client.follow(replica, until_count=150))
        expected = await write(stage, [workspace], 150, seed=2)
        await following

    assert client.seen == expected[workspace]


async def wander(client: Client, replicas: Sequence[Replica], count: int, seed: int) -> None:
    """Watch a little here, a little there."""
    dice = random.Random(seed)
    while client.count < count:
        goal = client.count + dice.randrange(1, 9)
        await client.follow(dice.choice(replicas), until_count=min(goal, count))
        await asyncio.sleep(dice.random() * 0.02)


async def test_a_client_resumes_at_replicas_that_read_in_another_order(
    stage: Stage, nats_url: str
) -> None:
    workspace, noise = a_workspace(), a_workspace()
    dice = random.Random(3)
    expected: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
    async with stage.replica(nats_url) as one, stage.replica(nats_url) as other:
        # Somebody always watches, so the rooms of both replicas have chains of their own.
        anchors = [(Client(workspace), one), (Client(workspace), other)]
        clients = [Client(workspace) for _ in range(4)]
        for client in clients:
            await client.follow(one, frames=2)
        async with asyncio.TaskGroup() as group:
            for client, replica in anchors:
                group.create_task(client.follow(replica, until_count=240, within=60))
            for number, client in enumerate(clients):
                group.create_task(wander(client, (one, other), 240, seed=number))
            await asyncio.sleep(0.2)
            for number in range(240):
                domain = dice.choice(DOMAINS)
                expected[domain].append(str(number))
                await stage.emit(workspace, domain, str(number))
                if dice.random() < 0.3:
                    await stage.emit(noise, dice.choice(DOMAINS), "noise")

    for client in (*clients, *(anchor for anchor, _ in anchors)):
        assert client.seen == expected
        assert client.resyncs == 0


async def test_a_position_older_than_the_memory_is_replayed_from_the_streams(
    stage: Stage, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "MAX_ENTRIES", 10)
    here, elsewhere = a_workspace(), a_workspace()
    async with stage.replica(nats_url) as one:
        client = Client(here)
        await client.follow(one, frames=2)
        expected = await write(stage, [here, elsewhere], 200, seed=4)
        await settle(stage, one)
        total = sum(map(len, expected[here].values()))

        # One replica knew the workspace, the other has never heard of it.
        async with stage.replica(nats_url) as other:
            twin = Client(here, position=client.position)
            await client.follow(one, until_count=total)
            await twin.follow(other, until_count=total)

    assert client.seen == twin.seen == expected[here]
    assert client.resyncs == twin.resyncs == 0


async def test_a_first_watcher_misses_nothing_between_its_position_and_its_stream(
    stage: Stage, replica: Replica
) -> None:
    """Whoever begins without a position gets one, and everything after it."""
    workspace = a_workspace()
    expected: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
    stop = asyncio.Event()

    async def emit_on() -> None:
        number = 0
        while not stop.is_set():
            await stage.emit(workspace, "messaging", str(number))
            expected["messaging"].append(str(number))
            number += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(emit_on())
        for _ in range(25):
            client = Client(workspace)
            await client.follow(replica, until_count=3)
            numbers = [int(label) for label in client.seen["messaging"]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            await asyncio.sleep(0.01)
        stop.set()


@pytest.mark.parametrize(
    "kind", ["garbage", "not base64", "other epoch", "lacks a stream", "future"]
)
async def test_a_position_that_leads_nowhere_is_answered_once_by_resync(
    stage: Stage, replica: Replica, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "REACH_WITHIN", timedelta(seconds=0.3))
    workspace = a_workspace()
    good = Client(workspace)
    await good.follow(replica, frames=2)
    vector = realtime_v1.Position.FromString(
        base64.urlsafe_b64decode(good.position + "=" * (-len(good.position) % 4))
    )
    if kind == "other epoch":
        vector.streams[0].log_epoch = "another-life"
    elif kind == "lacks a stream":
        del vector.streams[1]
    elif kind == "future":
        vector.streams[2].gpos = 10**9
    position = base64.urlsafe_b64encode(vector.SerializeToString()).decode().rstrip("=")
    if kind == "garbage":
        position = base64.urlsafe_b64encode(b"\xff\x00 nothing").decode()
    elif kind == "not base64":
        position = "§§§"

    client = Client(workspace, position=position)
    async with replica.watching(workspace, position) as frames:
        async with asyncio.timeout(5):
            async for frame in frames:
                client.take(frame)
                if frame.WhichOneof("body") == "present_members":
                    break
    assert client.resyncs == 1
    await stage.emit(workspace, "identity", "after")
    await client.follow(replica, until_count=1)

    assert client.resyncs == 1
    assert client.seen["identity"] == ["after"]


async def test_a_position_whose_events_expired_is_answered_by_resync(
    stage: Stage, nats_url: str
) -> None:
    workspace = a_workspace()
    publisher = stage.publishers["messaging"]
    async with stage.replica(nats_url) as one:
        client = Client(workspace)
        await client.follow(one, frames=2)
    await publisher.emit(workspace, "a", "b", "c")
    async with publisher.worker.begin() as transaction:
        pass

    async def is_numbered() -> bool:
        return publisher.relay.publisher.published_gpos == 3

    await until(is_numbered)
    async with publisher.worker.begin() as transaction:
        await transaction.raw.execute("DELETE FROM events WHERE gpos <= 2")
    await publisher.stream.delete()
    await until(is_numbered)
    async with stage.replica(nats_url) as other:
        await client.follow(other, frames=1)

    assert client.resyncs == 1


async def test_a_new_life_of_a_log_tells_every_watcher_to_resync_once(
    stage: Stage, replica: Replica
) -> None:
    workspace = a_workspace()
    client, publisher = Client(workspace), stage.publishers["messaging"]
    await stage.emit(workspace, "messaging", "before")
    await settle(stage, replica)
    await client.follow(replica, frames=2)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(client.follow(replica, until_count=client.count + 1))
        await asyncio.sleep(0.2)
        await begin_epoch(publisher.worker, publisher.stream)
        await until(lambda: client.resyncs == 1, within=15)
        await stage.emit(workspace, "messaging", "after")
        await following
    await client.follow(replica, frames=1)

    assert client.resyncs == 1
    assert client.seen["messaging"][-1] == "after"


async def test_a_watch_until_a_position_ends_exactly_there(
    stage: Stage, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, noise = a_workspace(), a_workspace()
    async with stage.replica(nats_url) as one, stage.replica(nats_url) as other:
        client, hub = Client(workspace), Client(workspace)
        await client.follow(one, frames=2)
        await hub.follow(one, frames=2)
        expected = await write(stage, [workspace, noise], 60, seed=6)
        total = sum(map(len, expected[workspace].values()))
        await hub.follow(one, until_count=total)
        await stage.emit(workspace, "identity", "beyond")
        for replica in (one, other):
            late = Client(workspace, position=client.position)
            async with replica.watching(workspace, late.position, hub.position) as frames:
                async with asyncio.timeout(10):
                    async for frame in frames:
                        late.take(frame)
            assert late.position == hub.position
            assert late.seen == expected[workspace]


async def test_a_quiet_workspace_hears_that_its_position_moved(
    stage: Stage, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.realtime.sweeper.QUIET_SECONDS", 0.5)
    workspace, noise = a_workspace(), a_workspace()
    client = Client(workspace)
    await client.follow(replica, frames=2)
    before = client.position
    await stage.emit(noise, "messaging", "noise")
    await settle(stage, replica)

    await client.follow(replica, frames=3, within=5)

    assert client.position != before
    assert client.position == replica.live.position
    assert client.resyncs == 0


async def test_a_slow_watcher_is_ended_and_resumes_where_it_was(
    stage: Stage, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = "services.realtime.model.watcher.MAX_FRAMES"
    monkeypatch.setattr(bound, 20)
    workspace = a_workspace()
    slow, quick = Client(workspace), Client(workspace)
    async with replica.watching(workspace) as frames:
        async for frame in frames:
            slow.take(frame)
            if frame.WhichOneof("body") == "present_members":
                break
        async with asyncio.TaskGroup() as group:
            following = group.create_task(quick.follow(replica, until_count=100))
            await asyncio.sleep(0.1)
            for number in range(100):
                await stage.emit(workspace, "messaging", str(number))
            await following
        with pytest.raises(WatcherTooSlow):
            async for frame in frames:
                slow.take(frame)
    monkeypatch.setattr(bound, 8_192)
    await slow.follow(replica, until_count=100)

    assert slow.seen["messaging"] == [str(number) for number in range(100)]
    assert quick.seen == slow.seen


async def test_restarts_and_wipes_of_nats_cost_nothing_but_time(
    urls: dict[str, DatabaseUrls], tmp_path: Path
) -> None:
    workspace = a_workspace()
    with breakable_nats(tmp_path) as server:
        url = server.server.url
        async with a_stage(urls, url) as stage, stage.replica(url) as replica:
            client = Client(workspace)
            await client.follow(replica, frames=2)
            async with asyncio.TaskGroup() as group:
                following = group.create_task(client.follow(replica, until_count=180, within=60))
                expected: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
                for number in range(180):
                    domain = DOMAINS[number % len(DOMAINS)]
                    expected[domain].append(str(number))
                    await stage.emit(workspace, domain, str(number))
                    if number in {40, 80, 120}:
                        await server.in_thread(server.kill)
                        if number > 40:
                            server.wipe()
                        server.start()
                await following

    assert client.seen == expected
    assert client.resyncs == 0
