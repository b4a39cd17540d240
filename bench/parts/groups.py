"""P4: many workspaces of five browsers each, at one gateway: the last hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import broadcast
from bench.anchors import rivals
from bench.gateway_alone import gateway_alone, new_workspaces
from bench.report import Row, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.broadcast import Broadcast, Found
    from bench.plan import Plan

GROUP = 5
RATES = (1_000, 2_500, 5_000)
KEPT_UP = 0.95


async def rows(plan: Plan) -> AsyncIterator[Row]:
    """CPU per delivery and its delay, at growing rates."""

    async def measure(server: Broadcast) -> list[Found]:
        return [await broadcast.at_rate(server, rate, plan.seconds) for rate in RATES]

    groups = plan.sockets // GROUP
    async with (
        gateway_alone() as gateway,
        gateway.listeners(new_workspaces(groups), sockets=GROUP) as listeners,
    ):
        ours = await measure(listeners)
        size = listeners.groups[0][0].delivery_bytes
    others = await rivals.measured(measure, groups=groups, sockets=GROUP, size_bytes=size)
    for place, rate in enumerate(RATES):
        there = {name: found[place] if found else None for name, found in others.items()}
        for row in _rows(ours[place], there, rate, f"{groups} groups of {GROUP}"):
            yield row


def _rows(found: Found, others: rivals.Results[Found], rate: int, whom: str) -> list[Row]:
    at = f"{whom} at {rate:,} events/s"
    kept_up = found.events_per_second >= KEPT_UP * rate
    speeds = [
        f"{name} {shown(other.events_per_second)}/s" for name, other in others.items() if other
    ]
    delivered = f"delivered {shown(found.events_per_second)}/s ({', '.join(speeds)})"
    return [
        Row(
            name=f"P4 gateway CPU per delivery, {at}",
            figure=found.cpu_micros,
            unit="µs",
            limits=rivals.limits(others, lambda other: other.cpu_micros),
            target="≤ 0.6 of nats-server, ≤ 0.9 of nchan",
            note=f"{delivered}; missing {found.missing}",
        ),
        Row(
            name=f"P4 last hop p99, {at}",
            figure=found.p99_millis if kept_up else None,
            unit="ms",
            limits=rivals.limits(others, lambda other: other.p99_millis),
            target="≤ 2 ms",
            note=f"p50 {shown(found.p50_millis)} ms" if kept_up else "not kept up with",
        ),
    ]
