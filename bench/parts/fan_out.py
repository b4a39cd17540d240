"""P3, P5, P6, P13 and P10's half: one workspace with very many browsers, at one gateway."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from bench import broadcast
from bench.anchors import c_program, rivals
from bench.gateway_alone import gateway_alone, new_workspaces
from bench.report import Limit, Row, shown
from bench.sockets import hang_up
from bench.usage import peak_bytes, resident_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.broadcast import Broadcast
    from bench.plan import Plan

FEW = 10
FEW_ROUNDS = 300
BURST_DELIVERIES = 300_000
GROUP = 5
SETTLE_SECONDS = 1.0
CROWD = 45
STALLED = 5
LONG_TEXT = 4_000
STALLED_EVENTS = 1_500
"""About 7 MiB for each reader: more than the kernel and the gateway keep for one."""
STALLED_PER_SECOND = 150


async def rows(plan: Plan) -> AsyncIterator[Row]:
    """What one event to all costs, what waiting costs, and what it costs when some do not read."""
    async with gateway_alone() as gateway:
        before = resident_bytes(gateway.pid)
        async with gateway.listeners(new_workspaces(1), sockets=plan.sockets) as listeners:
            await asyncio.sleep(SETTLE_SECONDS)
            idle = (resident_bytes(gateway.pid) - before) / plan.sockets
            yield Row(
                name=f"P6 idle socket in the gateway, of {plan.sockets:,}",
                figure=idle / 1024,
                unit="KiB",
                target="≤ 14 KiB",
                note="resident memory, session state included",
            )
            yield await _cost(listeners, plan)
            yield await _burst(listeners, "one workspace")
        async with gateway.listeners(
            new_workspaces(plan.sockets // GROUP), sockets=GROUP
        ) as listeners:
            yield await _burst(listeners, f"groups of {GROUP}")
    yield await _growth(plan)
    yield await _stalled()


async def _cost(listeners: Broadcast, plan: Plan) -> Row:
    async def measure(server: Broadcast) -> broadcast.Found:
        return await broadcast.one_by_one(server, plan.rounds)

    found = await measure(listeners)
    size = listeners.groups[0][0].delivery_bytes
    others = await rivals.measured(measure, groups=1, sockets=plan.sockets, size_bytes=size)
    least = await c_program.cpu_micros_per_delivery(plan.sockets, plan.rounds, size)
    p99 = ", ".join(
        f"{name} {shown(result.p99_millis)}" for name, result in others.items() if result
    )
    return Row(
        name=f"P3 gateway CPU per delivery, one event to {plan.sockets:,} sockets",
        figure=found.cpu_micros,
        unit="µs",
        limits=(least, *rivals.limits(others, lambda result: result.cpu_micros)),
        target="≤ 1.5 of C, ≤ 0.65 of nats-server, ≤ 1.05 of nchan",
        note=f"{size} bytes; p99 {shown(found.p99_millis)} ms ({p99})",
    )


async def _burst(listeners: Broadcast, whom: str) -> Row:
    target = "≥ 1M/s" if len(listeners.groups) == 1 else "≥ 300k/s"

    figure = await broadcast.burst(listeners, BURST_DELIVERIES)
    others = await rivals.measured(
        lambda server: broadcast.burst(server, BURST_DELIVERIES),
        groups=len(listeners.groups),
        sockets=len(listeners.groups[0]),
        size_bytes=listeners.groups[0][0].delivery_bytes or 900,
    )
    return Row(
        name=f"P5 burst to {whom}",
        figure=figure,
        unit="deliveries/s",
        limits=rivals.limits(others, float),
        target=target,
        note="this client reads all of them on the same cores, and counts only",
    )


async def _growth(plan: Plan) -> Row:
    many = min(1_000 if plan.is_quick else 10_000, plan.max_files - 1_000)
    costs = []
    for sockets, rounds in ((FEW, FEW_ROUNDS), (many, plan.rounds // 2)):
        # A gateway that has done nothing before, so that both are treated alike.
        async with (
            gateway_alone() as gateway,
            gateway.listeners(new_workspaces(1), sockets=sockets) as all_,
        ):
            costs.append(await broadcast.one_by_one(all_, rounds))
    few, most = costs
    return Row(
        name=f"P10 gateway CPU per delivery, {many:,} sockets",
        figure=most.cpu_micros,
        unit="µs",
        limits=(Limit(f"with {FEW} sockets", few.cpu_micros),),
        target="≤ 1.7",
        note="with few sockets the cost of the event itself is shared by few",
    )


async def _stalled() -> Row:
    workspace = new_workspaces(1)
    async with (
        gateway_alone() as gateway,
        gateway.listeners(workspace, sockets=CROWD, text_length=LONG_TEXT) as healthy,
    ):
        seconds = STALLED_EVENTS / STALLED_PER_SECOND
        alone = await broadcast.at_rate(healthy, STALLED_PER_SECOND, seconds)
        before = peak_bytes(gateway.pid)
        stalled = await gateway.open_stalled(workspace[0], STALLED)
        beside = await broadcast.at_rate(healthy, STALLED_PER_SECOND, seconds)
        grown = peak_bytes(gateway.pid) - before
        for client in stalled:
            client.transport.resume_reading()
        await asyncio.sleep(SETTLE_SECONDS)
        ends = Counter(client.closed_with or "still open" for client in stalled)
        hang_up([stalled])
    told = ", ".join(f"{count} {end}" for end, count in ends.items())
    return Row(
        name=f"P13 p99 of {CROWD} healthy sockets beside {STALLED} stalled ones",
        figure=beside.p99_millis,
        unit="ms",
        limits=(Limit("without the stalled", alone.p99_millis),),
        target="≤ 2, bounded memory",
        note=f"memory grew by {grown / 2**20:.1f} MiB; missing {beside.missing}; stalled: {told}",
    )
