"""P7 and P10: pages of history over HTTP and inserts, as a conversation grows to 10^7 messages."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.calls import CLIENTS, Streamed, calls_until, team
from bench.desks import token_of
from bench.plain_http import PlainHttp, plain_http
from bench.report import Limit, Row, in_order, percentile, shown
from inbox.messaging import v1 as messaging_v1
from suite.databases import connected, database_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.desks import Desk
    from bench.plan import Plan
    from bench.subject import Subject

METHOD = "/inbox.messaging.v1.MessagingService/ListMessages"
SIZES = (10_000, 1_000_000)
PAGE = 50
PAGES_PER_SECOND = 200
KEPT_UP = 0.95
MOST_WAITING = 400
"""Two seconds behind: 200 pages a second are too many."""
AT_ONCE = 64
WARM_UP_PAGES = 100
FILL_STEP = 250_000
STEP_SECONDS = 300.0
VACUUM_SECONDS = 1200.0
FILL = """
INSERT INTO messages (workspace_id, conversation_id, seq, id, client_message_id, direction,
    author_kind, author_id, author_display_name, text, attempt_count, inbound_ordinal,
    create_time, version)
SELECT t.workspace_id, t.conversation_id, n, gen_random_uuid(), gen_random_uuid(), 'inbound',
    'customer', '', '', 'message ' || n || repeat(' and some words', 8), 0,
    t.inbound_count + n - t.last_seq, now(), 1
FROM threads t, generate_series($2::bigint, $3::bigint) n WHERE t.conversation_id = $1
"""
GROW = """
UPDATE threads SET inbound_count = inbound_count + $2 - last_seq, last_seq = $2,
    version = version + 1
WHERE conversation_id = $1
"""
"""The version tells messaging that what it remembers of the thread is of yesterday."""


RAW = """
SELECT * FROM messages WHERE workspace_id = $1 AND conversation_id = $2 AND seq < $3
ORDER BY seq DESC LIMIT $4
"""


@dataclass(frozen=True)
class Found:
    """What one length of the conversation gave."""

    messages: int
    page_millis: list[float]
    """At 200 a second."""
    kept_up: bool
    """Whether 200 a second were answered."""
    pages_per_second: float
    """From 16 clients."""
    page_costs: dict[str, float]
    """CPU milliseconds of a page, by process."""
    raw_millis: list[float]
    raw_cost: float
    """PostgreSQL's CPU milliseconds of the bare page."""
    inserts: Streamed
    """Through messaging's stream."""
    insert_cost: float | None
    """PostgreSQL's CPU milliseconds of a message; None where none was stored."""


async def rows(subject: Subject, plan: Plan) -> AsyncIterator[Row]:
    """Longer and longer, each length beside raw SQL and beside the first."""
    desk = await subject.desk(conversations=1)
    sizes = [size for size in SIZES if size < plan.longest_history] + [plan.longest_history]
    first: Found | None = None
    for size in sizes:
        plan.say(f"history: growing to {size:,} messages")
        took = await grow(subject, desk, size)
        found = await _measure(subject, desk, size, plan)
        for row in _page_rows(found, took):
            yield row
        if first is None:
            first = found
        else:
            for row in _growth_rows(first, found):
                yield row


async def grow(subject: Subject, desk: Desk, size: int) -> float:
    """Make the conversation this long; the seconds it took."""
    [conversation_id] = desk.conversations
    began = time.perf_counter()
    async with connected(subject.database_url(database_of("messaging").name)) as connection:
        last = await connection.fetchval(
            "SELECT last_seq FROM threads WHERE conversation_id = $1", conversation_id
        )
        for start in range(last + 1, size + 1, FILL_STEP):
            end = min(size, start + FILL_STEP - 1)
            async with connection.transaction():
                await connection.execute(FILL, conversation_id, start, end, timeout=STEP_SECONDS)
                await connection.execute(GROW, conversation_id, end)
        await connection.execute("VACUUM (ANALYZE) messages", timeout=VACUUM_SECONDS)
        await connection.execute("CHECKPOINT", timeout=STEP_SECONDS)
    return time.perf_counter() - began


async def _measure(subject: Subject, desk: Desk, size: int, plan: Plan) -> Found:
    [conversation_id] = desk.conversations
    dice = random.Random(7)
    token = await token_of(subject, desk)
    meter = subject.meter()
    async with plain_http(subject.url, AT_ONCE) as http:
        page = _pages(http, token, conversation_id, size, dice)
        for _ in range(WARM_UP_PAGES):
            await page()
        began = time.perf_counter()
        millis = await _at_a_rate(page, plan.seconds)
        answered_per_second = len(millis) / (time.perf_counter() - began)
        before = meter.read()
        count = await calls_until(time.perf_counter() + plan.seconds, page)
        used = meter.since(before)
    before = meter.read()
    raw = await _raw(subject, conversation_id, size, dice, plan.seconds / 2)
    raw_used = meter.since(before)["postgres"]
    async with team(subject, desk) as program:
        before = meter.read()
        streamed = await program.stream(plan.seconds / 2)
        insert_used = meter.since(before)["postgres"]
    return Found(
        messages=size,
        page_millis=millis,
        kept_up=answered_per_second >= KEPT_UP * PAGES_PER_SECOND,
        pages_per_second=count / plan.seconds,
        page_costs={name: usage.cpu_seconds / count * 1e3 for name, usage in used.items()},
        raw_millis=raw,
        raw_cost=raw_used.cpu_seconds / len(raw) * 1e3,
        inserts=streamed,
        insert_cost=insert_used.cpu_seconds / streamed.sent * 1e3 if streamed.sent else None,
    )


def _pages(
    http: PlainHttp, token: str, conversation_id: str, size: int, dice: random.Random
) -> Callable[[], Awaitable[None]]:
    """Asks for a page somewhere in the conversation."""

    async def page() -> None:
        asked = messaging_v1.ListMessagesRequest(
            conversation_id=conversation_id,
            before_seq=dice.randint(PAGE + 1, size),
            page_size=PAGE,
        )
        await http.ask(
            http.request(
                METHOD,
                asked.SerializeToString(),
                authorization=f"Bearer {token}",
                content_type="application/proto",
                connect_protocol_version="1",
                connect_timeout_ms="10000",
            )
        )

    return page


async def _at_a_rate(page: Callable[[], Awaitable[None]], seconds: float) -> list[float]:
    """Milliseconds of each, from when it was asked for; it ends early once too many wait."""
    millis: list[float] = []

    async def one(due: float) -> None:
        await page()
        millis.append((time.perf_counter() - due) * 1e3)

    async with asyncio.TaskGroup() as group:
        began = time.perf_counter()
        for number in range(int(PAGES_PER_SECOND * seconds)):
            if number - len(millis) > MOST_WAITING:
                break
            due = began + number / PAGES_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(time.perf_counter()))
    return millis


async def _raw(
    subject: Subject, conversation_id: str, size: int, dice: random.Random, seconds: float
) -> list[float]:
    """Milliseconds of the bare page, prepared, from one client."""
    millis: list[float] = []
    async with connected(subject.database_url(database_of("messaging").name)) as connection:
        workspace_id = await connection.fetchval(
            "SELECT workspace_id FROM threads WHERE conversation_id = $1", conversation_id
        )
        statement = await connection.prepare(RAW)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            before = dice.randint(PAGE + 1, size)
            await statement.fetch(workspace_id, conversation_id, before, PAGE + 1)
            millis.append((time.perf_counter() - began) * 1e3)
    return millis


def _page_rows(found: Found, took: float) -> list[Row]:
    at = f"{found.messages:,} messages"
    late = "" if found.kept_up else "not kept up with; "
    return [
        *(
            Row(
                name=f"P7 page of {PAGE} over HTTP, {at}, 200/s, {word}",
                figure=percentile(found.page_millis, share) if found.kept_up else None,
                unit="ms",
                limits=(Limit("raw SQL, one client", percentile(found.raw_millis, share)),),
                target=target,
                note=f"{late}the conversation grew in {took:.0f} s",
            )
            for word, share, target in (("p50", 0.5, "≤ 4 ms"), ("p99", 0.99, "≤ 12 ms"))
        ),
        Row(
            name=f"P7 pages a second, {at}, {CLIENTS} clients",
            figure=found.pages_per_second,
            unit="/s",
            target="≥ 1,200/s",
            note=f"CPU ms each: {in_order(found.page_costs, 0.005, '.2f')}",
        ),
        Row(
            name=f"P7 PostgreSQL's CPU for a page, {at}",
            figure=found.page_costs["postgres"],
            unit="ms",
            limits=(Limit("raw SQL", found.raw_cost),),
            target="≤ 2",
        ),
    ]


def _growth_rows(first: Found, found: Found) -> list[Row]:
    at = f"at {found.messages:,} messages"
    base = f"at {first.messages:,}"
    both_kept_up = first.kept_up and found.kept_up
    return [
        Row(
            name=f"P10 page p50 {at}",
            figure=percentile(found.page_millis, 0.5) if both_kept_up else None,
            unit="ms",
            limits=(Limit(base, percentile(first.page_millis, 0.5)),),
            target="≤ 1.3",
        ),
        Row(
            name=f"P10 PostgreSQL's time for a page, p50 {at}",
            figure=percentile(found.raw_millis, 0.5),
            unit="ms",
            limits=(Limit(base, percentile(first.raw_millis, 0.5)),),
            target="≤ 1.3",
        ),
        Row(
            name=f"P10 PostgreSQL's CPU for an insert {at}",
            figure=found.insert_cost,
            unit="ms",
            limits=(Limit(base, first.insert_cost),),
            target="≤ 1.25",
            note=f"through messaging's stream: {shown(found.inserts.per_second)}/s, "
            f"{base} {shown(first.inserts.per_second)}/s; {found.inserts.faults}",
        ),
    ]
