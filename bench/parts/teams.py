"""P11 and P12: browsers that all come back at once, teams' gRPC calls, the stream of sends."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.anchors import bare_grpc, nats_sockets
from bench.anchors.full_send import full_send_database
from bench.calls import CLIENTS, calls_until, team
from bench.report import Limit, Row, in_order, shown
from bench.sockets import Tally
from bench.usage import Usage
from suite.databases import connected, database_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bench.calls import Team
    from bench.plan import Plan
    from bench.subject import Subject

CONVERSATIONS = 40
MISSED = 20
"""Messages sent while the browsers were away."""
ARRIVES_WITHIN_SECONDS = 30.0
IDLE_SECONDS = 3.0
STATISTICS_SECONDS = 1.5
"""PostgreSQL's sessions report what they did at most once a second."""


async def rows(subject: Subject, plan: Plan) -> AsyncIterator[Row]:
    """What teams get, and how soon everybody is back."""
    desk = await subject.desk(conversations=CONVERSATIONS)
    async with team(subject, desk) as program:
        yield await _unary(subject, program, plan)
        async with full_send_database(subject.database_url("postgres")) as pgbench:
            alone = await pgbench.run(plan.seconds)
        yield await _stream(subject, program, plan, Limit("pgbench, full send", alone.per_second))
    async for row in _storm(subject, plan):
        yield row


async def _unary(subject: Subject, program: Team, plan: Plan) -> Row:
    bare = await bare_grpc.calls_per_core_second()
    meter = subject.meter()
    before = meter.read()
    count = await calls_until(time.perf_counter() + plan.seconds, program.get_thread)
    used = meter.since(before)
    return Row(
        name="P12 unary calls (GetThread), per core second of messaging",
        figure=count / used["messaging"].cpu_seconds,
        unit="/s",
        limits=(Limit("grpc.aio that answers with the request", bare),),
        target="≥ 2,500/s",
        note=f"{shown(count / plan.seconds)}/s from {CLIENTS} clients; {_each(used, count)}",
    )


async def _stream(subject: Subject, program: Team, plan: Plan, limit: Limit) -> Row:
    meter = subject.meter()
    before = meter.read()
    streamed = await program.stream(plan.seconds)
    used = meter.since(before)
    return Row(
        name="P12 one stream of sends, one workspace",
        figure=streamed.per_second,
        unit="/s",
        limits=(limit,),
        target="≥ 15,000/s",
        note=f"{streamed.faults}; {_each(used, max(1, streamed.sent))}",
    )


def _each(used: Mapping[str, Usage], count: int) -> str:
    """CPU of each operation by process."""
    micros = {name: usage.cpu_seconds / count * 1e6 for name, usage in used.items()}
    return f"CPU µs each: {in_order(micros, 1, '.0f')}"


async def _storm(subject: Subject, plan: Plan) -> AsyncIterator[Row]:
    count = plan.sockets
    bare = await nats_sockets.connects_per_second(count)
    desk = await subject.desk(conversations=1)
    tally = Tally()
    meter = subject.meter()
    transactions = _Transactions(subject)
    async with subject.browsers() as browsers, team(subject, desk) as program:
        early = await browsers.open(desk, Tally())
        browsers.close()
        tally.begin()
        await program.send(MISSED)
        await transactions.begin()
        used, own = meter.read(), time.process_time()
        began = time.perf_counter()
        opened = await browsers.open_many(desk, tally, count, position=early.position)
        arrived = await tally.wait_for(count * MISSED, ARRIVES_WITHIN_SECONDS)
        seconds = time.perf_counter() - began
        own = time.process_time() - own
        used = meter.since(used)
        resumed = sum(client.is_resumed for client in opened)
        yield Row(
            name=f"P11 {count:,} browsers come back at once, each {MISSED} messages behind",
            figure=count / seconds,
            unit="sockets/s",
            limits=(Limit("nats-server WebSocket, without a credential", bare),),
            target="≥ 2,000/s",
            note=f"ticket, upgrade, hello, resume; {resumed:,} resumed, "
            f"{'all' if arrived else 'not all'} got what they had missed; "
            f"this client used {own / seconds:.2f} cores",
        )
        yield Row(
            name="P11 CPU of a browser that comes back, all of Inbox",
            figure=sum(usage.cpu_seconds for usage in used.values()) / count * 1e3,
            unit="ms",
            note=_each(used, count),
        )
        yield Row(
            name="P11 identity's database transactions for it",
            figure=await transactions.since() / count,
            unit="",
            target="≤ 1",
            note="what identity does by itself meanwhile is taken off",
        )


class _Transactions:
    """Counts identity's database transactions, without those of an idle identity."""

    def __init__(self, subject: Subject) -> None:
        self._url = subject.database_url("postgres")
        self._idle_per_second = 0.0
        self._count = 0
        self._at = 0.0

    async def begin(self) -> None:
        """See how many there are of themselves, and count from here on."""
        await asyncio.sleep(STATISTICS_SECONDS)
        first, began = await self._read(), time.perf_counter()
        await asyncio.sleep(IDLE_SECONDS)
        self._count, self._at = await self._read(), time.perf_counter()
        self._idle_per_second = (self._count - first) / (self._at - began)

    async def since(self) -> float:
        """How many more than those."""
        await asyncio.sleep(STATISTICS_SECONDS)
        count = await self._read() - self._count
        return count - self._idle_per_second * (time.perf_counter() - self._at)

    async def _read(self) -> int:
        async with connected(self._url) as connection:
            return int(
                await connection.fetchval(
                    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1",
                    database_of("identity").name,
                )
            )
