"""Two relays and two readers without their locks, under kills and wipes: nothing lost or doubled.

Each has its negative control: without the fence, or without the cursor's comparison, the same run
must come out wrong, or the run proves nothing.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from suite.databases import DatabaseUrls
from tests.faults.event_log import Load, Process, Report, check, place_cursor, prepare
from tests.servers import (
    BreakableNats,
    BreakablePostgres,
    breakable_nats,
    breakable_postgres,
)

pytestmark = pytest.mark.timeout(400)

IS_FULL = os.environ.get("INBOX_TEST_FULL") == "1"
KILLS = 60 if IS_FULL else 14
MIN_WRITTEN = 15_000 if IS_FULL else 400
CONTROL_WRITTEN = 300
SEED = 20261123
START_WITHIN = 60.0
BREAK_WITHIN = 240.0 if IS_FULL else 60.0
CONVERGES_WITHIN = 20.0


@dataclass
class Arena:
    """Everything that can be broken."""

    postgres: BreakablePostgres
    nats: BreakableNats
    urls: DatabaseUrls
    processes: list[Process]


@asynccontextmanager
async def an_arena(
    tmp_path: Path, *, fence: str = "on", cursor_check: str = "on", consumes: bool = True
) -> AsyncIterator[Arena]:
    with (
        breakable_postgres(tmp_path / "postgres") as postgres,
        breakable_nats(tmp_path / "nats") as nats,
    ):
        urls = await prepare(postgres)
        await place_cursor(urls)
        environment = {
            "TEST_DATABASE_URL": urls.worker,
            "TEST_NATS_URL": nats.server.url,
            "TEST_FENCE": fence,
            "TEST_CURSOR_CHECK": cursor_check,
        }
        roles = ("relay", "relay", *(("consumer", "consumer") if consumes else ()))
        processes = [
            Process(role, environment, tmp_path / f"{role}-{number}.log")
            for number, role in enumerate(roles)
        ]
        try:
            for process in processes:
                process.start()
            yield Arena(postgres, nats, urls, processes)
        finally:
            for process in processes:
                process.kill()


async def all_work(arena: Arena) -> None:
    async with asyncio.timeout(START_WITHIN):
        while not all(process.works for process in arena.processes):
            await asyncio.sleep(0.05)


async def break_things(arena: Arena, report: Report, kills: int, seed: int) -> None:
    """Kill something every moment, and start it again."""
    dice = random.Random(seed)
    async with asyncio.timeout(BREAK_WITHIN):
        while sum(report.kills.values()) < kills:
            await asyncio.sleep(dice.uniform(0.1, 0.5))
            match dice.choices(("process", "nats", "wipe", "postgres"), (6, 2, 2, 2))[0]:
                case "process":
                    working = [process for process in arena.processes if process.works]
                    if working:
                        process = dice.choice(working)
                        process.kill()
                        process.start()
                        report.kills["process"] += 1
                case "postgres":
                    await arena.postgres.in_thread(arena.postgres.kill)
                    await asyncio.to_thread(arena.postgres.start)
                    report.kills["postgres"] += 1
                case kind:
                    await arena.nats.in_thread(arena.nats.kill)
                    if kind == "wipe":
                        arena.nats.wipe()
                    await asyncio.sleep(dice.uniform(0.0, 0.3))
                    await asyncio.to_thread(arena.nats.start)
                    report.kills[kind] += 1


async def run(
    arena: Arena,
    *,
    kills: int = 0,
    written: int = CONTROL_WRITTEN,
    consumes: bool = True,
    converges_within: float = CONVERGES_WITHIN,
) -> Report:
    report, load = Report(), Load(arena.urls.app, SEED)
    await all_work(arena)
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(load.run())
        await break_things(arena, report, kills, SEED)
        while load.written < written:
            await asyncio.sleep(0.1)
        load.is_over = True
        await writing
    report.written = load.written
    await all_work(arena)
    await check(arena.urls, arena.nats, report, converges_within, consumes=consumes)
    return report


async def test_two_relays_and_two_readers_without_locks_survive_kills_and_wipes(
    tmp_path: Path,
) -> None:
    async with an_arena(tmp_path) as arena:
        report = await run(arena, kills=KILLS, written=MIN_WRITTEN)

    assert report.is_clean, report


async def test_negative_control_without_the_fence_the_stream_comes_out_wrong(
    tmp_path: Path,
) -> None:
    async with an_arena(tmp_path, fence="off", consumes=False) as arena:
        report = await run(arena, consumes=False, converges_within=2.0)

    assert report.doubled > 0, report
    assert report.misplaced > 0, report


async def test_negative_control_without_the_cursors_check_effects_come_twice(
    tmp_path: Path,
) -> None:
    async with an_arena(tmp_path, cursor_check="off") as arena:
        report = await run(arena)

    assert report.doubled == report.misplaced == report.missing == 0, report
    assert report.effects_doubled > 0, report
