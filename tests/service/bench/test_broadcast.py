"""The last hop's benchmark still fits the gateway it starts, and its rival."""

from __future__ import annotations

from bench import broadcast
from bench.anchors.nats_sockets import nats_sockets
from bench.gateway_alone import gateway_alone, new_workspaces


async def test_a_gateway_alone_brings_an_event_to_every_browser_of_its_workspace() -> None:
    async with (
        gateway_alone() as gateway,
        gateway.listeners(new_workspaces(2), sockets=3) as listeners,
    ):
        found = await broadcast.one_by_one(listeners, rounds=2)
        deliveries = [[client.deliveries for client in group] for group in listeners.groups]
        burst = await broadcast.burst(listeners, deliveries=60)

    assert deliveries == [[broadcast.WARM_UP_ROUNDS + 2] * 3, [0] * 3]
    assert found.missing == 0
    assert found.cpu_micros > 0
    assert burst > 0


async def test_nats_server_is_put_under_the_same_load() -> None:
    async with nats_sockets(groups=2, sockets=3, size_bytes=200) as listeners:
        found = await broadcast.one_by_one(listeners, rounds=2)
        burst = await broadcast.burst(listeners, deliveries=60)

    assert found.missing == 0
    assert burst > 0
