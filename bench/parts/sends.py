"""P1 and P2: durable sends through the sockets, each to the five browsers of its workspace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bench import load
from bench.anchors import ejabberd
from bench.anchors.full_send import CLIENTS, full_send_database
from bench.anchors.hop import hop_millis
from bench.report import Limit, Row, in_order, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.load import Crowd, Found
    from bench.plan import Plan
    from bench.subject import Subject

CONVERSATIONS = 4
WINDOWS = (16, 64, 256)
"""Sends without an answer, in a closed loop."""
WARM_UP_SECONDS = 1.0
MAX_P99_MILLIS = 250.0
TARGETS = {200: (5, 12), 1_000: (6, 18), 2_000: (9, 30), 4_000: (15, 50)}
"""Milliseconds, p50 and p99, by sends a second."""
KEPT_UP = 0.95
HOPS = 8
"""browser → Envoy → gateway → messaging → NATS → realtime → gateway → Envoy → browser."""
COST_RATE = 1_000
"""Where the cost of one send is read: far from idle, and within reach."""


async def rows(subject: Subject, plan: Plan) -> AsyncIterator[Row]:
    """Best rate, delays at given rates, and what a send costs each process."""
    desks = await subject.desks(plan.workspaces, conversations=CONVERSATIONS)
    postgres = subject.database_url("postgres")
    async with full_send_database(postgres) as pgbench, subject.browsers() as browsers:
        alone = await pgbench.run(plan.seconds)
        rival = await ejabberd.sends_per_second(postgres, plan.workspaces, plan.seconds)
        limits = (Limit(f"pgbench, full send, {CLIENTS} clients", alone.per_second), rival)
        crowd = await load.open_crowd(browsers, desks)
        yield await _idle(subject, crowd, plan)
        await load.in_window(subject, crowd, WINDOWS[0], WARM_UP_SECONDS)
        closed: dict[int, Found] = {}
        for window in WINDOWS:
            await crowd.come_back(browsers)
            closed[window] = await load.in_window(subject, crowd, window, plan.seconds)
            yield _window_row(window, closed[window])
        best = _best(closed)
        yield Row(
            name=f"P1 durable sends, each to 5 sockets, {plan.workspaces} workspaces",
            figure=closed[best].acknowledged_per_second if best else None,
            unit="/s",
            limits=limits,
            target="≥ 0.5 of pgbench, ≥ 2.3 of ejabberd; no loss, p99 ≤ 250 ms",
            note=f"the best of these: {best} under way" if best else "none of these keeps it",
        )
        costly, at = closed[best or WINDOWS[-1]], f"with {best or WINDOWS[-1]} under way"
        hop = await hop_millis()
        for rate, target in TARGETS.items():
            database = await pgbench.run(plan.seconds, per_second=rate)
            floor = (HOPS * hop + database.p50_millis, HOPS * hop + database.p99_millis)
            await crowd.come_back(browsers)
            found = await load.at_rate(subject, crowd, rate, plan.seconds)
            for row in _delay_rows(rate, target, floor, found):
                yield row
            if not _keeps_up(found, rate):
                break
            if rate <= COST_RATE:
                costly, at = found, f"at {rate:,}/s"
    for row in _cost_rows(costly, at):
        yield row


async def _idle(subject: Subject, crowd: Crowd, plan: Plan) -> Row:
    """What Inbox uses while browsers are there and nothing happens."""
    await asyncio.sleep(WARM_UP_SECONDS)
    meter = subject.meter()
    before = meter.read()
    await asyncio.sleep(plan.seconds)
    used = meter.since(before)
    cores = {name: usage.cpu_seconds / plan.seconds for name, usage in used.items()}
    return Row(
        name=f"idle Inbox with {len(crowd.all_sockets)} browsers",
        figure=sum(cores.values()) * 100,
        unit="% of a core",
        note=in_order(cores, 0.001, ".1%"),
    )


def _window_row(window: int, found: Found) -> Row:
    return Row(
        name=f"sends a second with {window} under way",
        figure=found.acknowledged_per_second,
        unit="/s",
        note=f"ack p50/p99 {shown(found.ack_p50_millis)}/{shown(found.ack_p99_millis)} ms, "
        f"delivery {shown(found.delivery_p50_millis)}/{shown(found.delivery_p99_millis)} ms, "
        f"{found.faults}; cores: {_busiest(found)}",
    )


def _best(closed: dict[int, Found]) -> int | None:
    """The window with the most sends a second among those that keep P1's promise."""
    good = {
        window: found.acknowledged_per_second
        for window, found in closed.items()
        if found.is_lossless and _worst_p99(found) <= MAX_P99_MILLIS
    }
    return max(good, key=lambda window: good[window], default=None)


def _keeps_up(found: Found, rate: int) -> bool:
    return found.acknowledged_per_second >= KEPT_UP * rate


def _worst_p99(found: Found) -> float:
    return max(found.ack_p99_millis, found.delivery_p99_millis)


def _busiest(found: Found) -> str:
    """Who used the cores, the hungriest first."""
    cores = {name: used.cpu_seconds / found.seconds for name, used in found.usage.items()}
    cores |= {"this client": found.client_cores, "strangers": found.stranger_cores}
    return in_order(cores, 0.01, ".2f")


def _delay_rows(
    rate: int, target: tuple[int, int], floor: tuple[float, float], found: Found
) -> list[Row]:
    kept_up = _keeps_up(found, rate)
    figures = (found.delivery_p50_millis, found.delivery_p99_millis)
    told = (
        f"{shown(found.acknowledged_per_second)}/s answered, ack p50/p99 "
        f"{shown(found.ack_p50_millis)}/{shown(found.ack_p99_millis)} ms, {found.faults}; "
        f"client late p99 {shown(found.late_p99_millis)} ms"
    )
    return [
        Row(
            name=f"P2 send → other browser at {rate:,}/s, {share}",
            figure=figure if kept_up else None,
            unit="ms",
            limits=(Limit(f"{HOPS} bare hops and PostgreSQL's full send at {rate:,}/s", least),),
            target=f"≤ {aim} ms",
            note=told if kept_up else f"not kept up with; higher rates were not tried; {told}",
        )
        for share, figure, least, aim in zip(("p50", "p99"), figures, floor, target, strict=True)
    ]


def _cost_rows(found: Found, at: str) -> list[Row]:
    """CPU and context switches of one send, by process: the figures neighbours disturb least."""
    sends = found.acknowledged
    total = found.total_usage
    by_cost = sorted(found.usage.items(), key=lambda item: -item[1].cpu_seconds)
    switches = {name: used.switches / sends for name, used in found.usage.items()}
    return [
        Row(
            name=f"CPU per send {at}, all of Inbox",
            figure=total.cpu_seconds / sends * 1e3,
            unit="ms",
            note=f"cores: {_busiest(found)}",
        ),
        *(
            Row(
                name=f"CPU per send {at}, {name}",
                figure=used.cpu_seconds / sends * 1e3,
                unit="ms",
                note=f"{used.cpu_seconds / total.cpu_seconds:.0%} of it",
            )
            for name, used in by_cost
            if used.cpu_seconds / sends * 1e3 >= 0.01
        ),
        Row(
            name=f"context switches per send {at}",
            figure=total.switches / sends,
            unit="",
            note=in_order(switches, 0.1, ".1f"),
        ),
        Row(
            name=f"this load client {at}",
            figure=found.client_cores * 100,
            unit="% of a core",
            note="it shares the cores with Inbox; its time is in nobody else's row",
        ),
    ]
