"""P7, P10: pages of history over HTTP, against raw SQL, from 10^4 to 10^7 messages."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import aiohttp
import asyncpg

from bench.desks import BenchDesk
from bench.report import percentile
from inbox.messaging import v1 as messaging_v1
from tests.connect_client import ConnectClient

PAGE = 50
PAGES_PER_SECOND = 200.0
CLIENTS = 16
FILL_STEP = 250_000
FILL = """
INSERT INTO messages (workspace_id, conversation_id, seq, id, client_message_id, direction,
    author_kind, author_id, author_display_name, text, attempt_count, inbound_ordinal,
    create_time, version)
SELECT t.workspace_id, t.conversation_id, g, gen_random_uuid(), gen_random_uuid(), 'inbound',
    'customer', '', '', 'message ' || g || repeat(' and some words', 8), 0, g, now(), 1
FROM threads t, generate_series($2::bigint, $3::bigint) g
WHERE t.conversation_id = $1
ON CONFLICT DO NOTHING
"""
RAW = """
SELECT seq, id, client_message_id, direction, author_kind, author_id, author_display_name, text,
       delivery_status, failure_reason, attempt_count, inbound_ordinal, create_time, platform_time,
       version
FROM messages WHERE workspace_id = $1 AND conversation_id = $2 AND seq < $3
ORDER BY seq DESC LIMIT 50
"""


@dataclass(frozen=True)
class HistoryFound:
    """What pages cost at one size."""

    messages: int
    p50_millis: float
    p99_millis: float
    pages_per_second: float
    raw_sql_p50_millis: float
    fill_seconds: float


async def fill(database_url: str, conversation_id: str, upto: int) -> float:
    """Make a conversation this long; returns the seconds it took."""
    connection = await asyncpg.connect(database_url)
    started = time.perf_counter()
    try:
        for start in range(1, upto + 1, FILL_STEP):
            end = min(upto, start + FILL_STEP - 1)
            await connection.execute(FILL, conversation_id, start, end, timeout=600)
        await connection.execute(
            "UPDATE threads SET last_seq = $2, inbound_count = $2 WHERE conversation_id = $1",
            conversation_id,
            upto,
        )
        await connection.execute("VACUUM (ANALYZE) messages", timeout=1200)
    finally:
        await connection.close()
    return time.perf_counter() - started


async def measure(
    http: aiohttp.ClientSession, url: str, database_url: str, desk: BenchDesk, messages: int,
    *, seconds: float,
) -> HistoryFound:  # fmt: skip
    """Random pages anywhere in the conversation: at a rate, then as fast as they come."""
    conversation_id = desk.conversations[0]
    took = await fill(database_url, conversation_id, messages)
    connect = ConnectClient(http, url, desk.token)
    dice = random.Random(7)

    async def page() -> None:
        await connect.call(
            "inbox.messaging.v1.MessagingService/ListMessages",
            messaging_v1.ListMessagesRequest(
                conversation_id=conversation_id,
                before_seq=dice.randint(PAGE + 1, messages),
                page_size=PAGE,
            ),
            messaging_v1.ListMessagesResponse,
        )

    for _ in range(50):
        await page()
    ages = await _at_a_rate(page, seconds)
    count = await _as_fast_as_possible(page, seconds)
    raw = await _raw(database_url, conversation_id, messages, dice)
    return HistoryFound(
        messages=messages,
        p50_millis=percentile(ages, 0.5) * 1e3,
        p99_millis=percentile(ages, 0.99) * 1e3,
        pages_per_second=count / seconds,
        raw_sql_p50_millis=percentile(raw, 0.5) * 1e3,
        fill_seconds=took,
    )


async def _at_a_rate(page, seconds: float) -> list[float]:  # type: ignore[no-untyped-def]
    ages: list[float] = []

    async def one(due: float) -> None:
        await page()
        ages.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        started = time.perf_counter()
        for number in range(int(PAGES_PER_SECOND * seconds)):
            due = started + number / PAGES_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(time.perf_counter()))
    return ages


async def _as_fast_as_possible(page, seconds: float) -> int:  # type: ignore[no-untyped-def]
    count = 0
    deadline = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal count
        while time.perf_counter() < deadline:
            await page()
            count += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
    return count


async def _raw(
    database_url: str, conversation_id: str, messages: int, dice: random.Random
) -> list[float]:
    connection = await asyncpg.connect(database_url)
    try:
        workspace = await connection.fetchval(
            "SELECT workspace_id FROM threads WHERE conversation_id = $1", conversation_id
        )
        statement = await connection.prepare(RAW)
        ages = []
        for _ in range(1000):
            before = dice.randint(PAGE + 1, messages)
            started = time.perf_counter()
            await statement.fetch(workspace, conversation_id, before)
            ages.append(time.perf_counter() - started)
        return ages
    finally:
        await connection.close()
