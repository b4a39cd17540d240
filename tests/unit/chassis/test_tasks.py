"""Background loops are restarted, owned, and ended with their owner."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chassis.tasks import LONGEST_PAUSE, Supervisor, pause_after
from tests.fakes import FakeClock, settle


async def test_a_loop_that_fails_is_started_again_after_a_pause() -> None:
    clock = FakeClock()
    runs = 0

    async def fail() -> None:
        nonlocal runs
        runs += 1
        raise OSError

    async with Supervisor(clock) as supervisor:
        supervisor.supervise("loop", fail)
        await settle()
        assert runs == 1
        clock.advance(timedelta(seconds=1))
        await settle()
        assert runs == 2


async def test_leaving_the_block_ends_every_loop_and_waits_for_it() -> None:
    ended = False

    async def last() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended = True

    async with Supervisor(FakeClock()) as supervisor:
        supervisor.supervise("loop", last)
        await settle()

    assert ended


async def test_work_that_must_not_fail_ends_the_process_when_it_does() -> None:
    async def fail() -> None:
        raise OSError

    with pytest.raises(ExceptionGroup):
        async with Supervisor(FakeClock()) as supervisor:
            supervisor.start("work", fail)
            await asyncio.Event().wait()


def test_pauses_grow_up_to_a_cap() -> None:
    assert pause_after(1) <= timedelta(milliseconds=100)
    assert all(pause_after(failures) <= LONGEST_PAUSE for failures in (10, 100, 10_000))
    assert pause_after(100) >= LONGEST_PAUSE / 2
