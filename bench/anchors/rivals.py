"""Other servers that bring one event to many browsers, under the same load as our gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bench.anchors import nats_sockets, nchan
from bench.broadcast import Broadcast
from bench.report import Limit

T = TypeVar("T")
Results = dict[str, T | None]
"""By name; None for a rival that is not installed here."""


async def measured(
    measure: Callable[[Broadcast], Awaitable[T]], *, groups: int, sockets: int, size_bytes: int
) -> Results[T]:
    """Do the same with each of them."""
    results: Results[T] = {nchan.NAME: None}
    async with nats_sockets.nats_sockets(
        groups=groups, sockets=sockets, size_bytes=size_bytes
    ) as broadcast:
        results[nats_sockets.NAME] = await measure(broadcast)
    if nchan.installed():
        async with nchan.nchan(groups=groups, sockets=sockets, size_bytes=size_bytes) as broadcast:
            results[nchan.NAME] = await measure(broadcast)
    return results


def limits(results: Results[T], figure: Callable[[T], float]) -> tuple[Limit, ...]:
    """One of their figures as limits of ours."""
    return tuple(
        Limit(name, None, nchan.MISSING) if result is None else Limit(name, figure(result))
        for name, result in results.items()
    )
