"""A real gateway's trunk at two real replicas: whichever answers, every workspace goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis.auth import Role
from chassis.rpc.channel import Channel, Credential, channel
from gateway import trunk as trunk_module
from gateway import wire
from gateway.hub import Hub
from gateway.ring import Event
from gateway.trunk import Trunk
from inbox.realtime import v1 as realtime_v1
from tests.cuttable_line import a_line
from tests.service.chassis.eventing import a_workspace, until
from tests.service.realtime.stage import DOMAINS, Client, Replica, Stage, label_of
from tests.service.realtime.test_client_watch import served
from tests.serving import SERVICE_KEY, Tokens

if TYPE_CHECKING:
    from gateway.upstream import Upstream

WORKSPACES = 4
COUNT = 150


class Realtime:
    """What the trunk needs of the gateway's upstream."""

    def __init__(self, opened: Channel) -> None:
        self._stub = realtime_v1.RealtimeServiceStub(opened)
        self.streams = 0

    def watch_workspaces(self) -> Any:
        self.streams += 1
        return self._stub.WatchWorkspaces()


@asynccontextmanager
async def a_trunk(address: str) -> AsyncIterator[tuple[Trunk, Realtime]]:
    async with channel([address], credential=Credential("gateway", SERVICE_KEY)) as opened:
        realtime = Realtime(opened)
        trunk = Trunk(cast("Upstream", realtime))
        running = asyncio.create_task(trunk.run())
        try:
            yield trunk, realtime
        finally:
            running.cancel()
            await asyncio.wait([running])


class Seen:
    """What came to the hubs, by workspace and domain."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, list[str]]] = {}
        self.resyncs = 0

    @property
    def count(self) -> int:
        return sum(len(labels) for seen in self.labels.values() for labels in seen.values())

    def notice(self, hub: Hub, event: Event) -> None:
        self.resyncs += event.kind == wire.RESYNC_REQUIRED
        found = label_of(realtime_v1.ServerFrame.FromString(event.raw))
        if found is not None:
            mine = self.labels.setdefault(hub.workspace_id, {domain: [] for domain in DOMAINS})
            mine[found[0]].append(found[1])


async def test_hubs_lose_nothing_over_two_replicas_and_many_cuts(
    stage: Stage, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunk_module, "FIRST_PAUSE", timedelta(milliseconds=5))
    dice, tokens, seen = random.Random(21), Tokens(), Seen()
    hubs = [Hub(a_workspace(), [seen.notice]) for _ in range(WORKSPACES)]
    expected: dict[str, dict[str, list[str]]] = {
        hub.workspace_id: {domain: [] for domain in DOMAINS} for hub in hubs
    }
    async with (
        stage.replica(nats_url) as one,
        stage.replica(nats_url) as other,
        served(one, tokens) as first,
        served(other, tokens) as second,
        a_line(first.address) as line,
        a_trunk(line.address) as (trunk, realtime),
    ):
        for hub in hubs:
            trunk.begin(hub)
        await until(lambda: all(hub.is_live for hub in hubs))
        for number in range(COUNT):
            hub, domain = dice.choice(hubs), dice.choice(DOMAINS)
            expected[hub.workspace_id][domain].append(str(number))
            await stage.emit(cast("Any", hub.workspace_id), domain, str(number))
            if dice.random() < 0.15:
                line.target = dice.choice([first.address, second.address])
                line.cut()
            await asyncio.sleep(dice.random() * 0.01)
        await until(lambda: seen.count >= COUNT, within=30)

    assert seen.labels == expected
    assert seen.resyncs == 0
    assert realtime.streams > 5


@pytest.mark.parametrize("role", [Role.OWNER, Role.SERVICE])
async def test_no_key_of_a_workspace_may_watch_many(
    stage: Stage, replica: Replica, role: Role
) -> None:
    here, victim = a_workspace(), Client(a_workspace())
    async with served(replica, Tokens()) as server:
        stub = realtime_v1.RealtimeServiceStub(server.channel(role, here))
        call = stub.WatchWorkspaces()
        request = realtime_v1.WatchWorkspacesRequest()
        request.begin.add(ref=1, workspace_id=victim.workspace)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.write(request)
            await call.read()

    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert replica.live.rooms.find(victim.workspace) is None


async def test_a_gateway_that_goes_away_leaves_every_room_and_is_no_failure(
    stage: Stage, replica: Replica
) -> None:
    hub, failures = Hub(a_workspace()), failed_calls()
    async with served(replica, Tokens()) as server:
        async with a_trunk(server.address) as (trunk, _):
            trunk.begin(hub)
            await until(lambda: hub.is_live)
        room = replica.live.rooms.find(hub.workspace_id)
        await until(lambda: room is not None and room.guests == 0)

    assert failed_calls() == failures


def failed_calls() -> float:
    return REGISTRY.get_sample_value("inbox_rpc_refused_calls_total", {"reason": "INTERNAL"}) or 0.0
