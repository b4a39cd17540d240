"""One event to several sockets, through whatever server: the same load for Inbox and its rivals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.report import percentile
from bench.sockets import Socket, Tally
from bench.usage import cpu_seconds

ARRIVES_WITHIN_SECONDS = 20.0
WARM_UP_ROUNDS = 5
WARM_UP_SHARE = 0.2
SHORTEST_PAUSE_SECONDS = 0.001


@dataclass(frozen=True)
class Broadcast:
    """A server with its listeners."""

    name: str
    pid: int
    """Of the server; its descendants count too."""
    publish: Callable[[int], None]
    """Sends one stamped event to a group; never waits."""
    groups: Sequence[Sequence[Socket]]
    tally: Tally


@dataclass(frozen=True)
class Found:
    """What deliveries cost, and how long they took."""

    cpu_micros: float
    """Of the server, per delivery."""
    p50_millis: float
    p99_millis: float
    events_per_second: float
    missing: int


async def one_by_one(broadcast: Broadcast, rounds: int) -> Found:
    """An event to the first group, wait until everybody there has it, the next one.

    Raises: TimeoutError.
    """
    await _rounds(broadcast, WARM_UP_ROUNDS)
    broadcast.tally.begin()
    used, began = cpu_seconds(broadcast.pid), time.perf_counter()
    await _rounds(broadcast, rounds)
    return _found(broadcast, rounds * len(broadcast.groups[0]), used, began, rounds)


async def burst(broadcast: Broadcast, deliveries: int) -> float:
    """Events at once, to each group in turn; deliveries a second. Raises: TimeoutError.

    Nothing else can be measured with these sockets afterwards.
    """
    for group in broadcast.groups:
        for client in group:
            client.only_count()
    broadcast.tally.begin()
    events = deliveries // len(broadcast.groups[0])
    began = time.perf_counter()
    for number in range(events):
        broadcast.publish(number % len(broadcast.groups))
    await _arrive(broadcast, events * len(broadcast.groups[0]))
    return broadcast.tally.count / (time.perf_counter() - began)


async def at_rate(broadcast: Broadcast, per_second: float, seconds: float) -> Found:
    """So many events a second, to each group in turn."""
    tally = broadcast.tally
    tally.begin(WARM_UP_SHARE * seconds)
    used, began = cpu_seconds(broadcast.pid), time.perf_counter()
    sent = expected = 0
    while (now := time.perf_counter()) < began + seconds:
        while sent < int((now - began) * per_second):
            group = sent % len(broadcast.groups)
            broadcast.publish(group)
            expected += len(broadcast.groups[group])
            sent += 1
        next_due = began + (sent + 1) / per_second
        await asyncio.sleep(max(SHORTEST_PAUSE_SECONDS, next_due - time.perf_counter()))
    await tally.wait_for(expected, ARRIVES_WITHIN_SECONDS)
    return _found(broadcast, expected, used, began, sent)


async def _rounds(broadcast: Broadcast, count: int) -> None:
    broadcast.tally.count = 0
    for number in range(1, count + 1):
        broadcast.publish(0)
        await _arrive(broadcast, number * len(broadcast.groups[0]))


async def _arrive(broadcast: Broadcast, deliveries: int) -> None:
    if not await broadcast.tally.wait_for(deliveries, ARRIVES_WITHIN_SECONDS):
        closed = {s.closed_with for group in broadcast.groups for s in group if s.is_closed}
        raise TimeoutError(
            f"{broadcast.name}: {broadcast.tally.count} of {deliveries} deliveries came in "
            f"{ARRIVES_WITHIN_SECONDS:.0f} s; closed sockets: {closed or 'none'}"
        )


def _found(broadcast: Broadcast, deliveries: int, used: float, began: float, events: int) -> Found:
    tally = broadcast.tally
    return Found(
        cpu_micros=(cpu_seconds(broadcast.pid) - used) / deliveries * 1e6,
        p50_millis=percentile(tally.ages_millis, 0.5),
        p99_millis=percentile(tally.ages_millis, 0.99),
        events_per_second=events / (time.perf_counter() - began),
        missing=max(0, deliveries - tally.count),
    )
