"""Processes are kept alive, and a NATS that stores nothing any more is noticed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from suite import up
from suite.infra import running_nats
from suite.infra.program import Program, SuiteError
from suite.screen import Screen
from suite.supervisor import Part, Supervisor

SOON = 20.0


def a_part(folder: Path, script: str) -> Part:
    async def is_healthy(_: int) -> bool:
        return (folder / "healthy").exists()

    return Part(
        program=Program(
            name="worker",
            argv=(sys.executable, "-I", "-S", "-c", script),
            environment={"FOLDER": str(folder)},
            log=folder / "worker.log",
        ),
        is_healthy=is_healthy,
    )


WORKS = """
import os, pathlib, time
pathlib.Path(os.environ["FOLDER"], "healthy").touch()
time.sleep(600)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + WORKS
BROKEN = "print('no such setting'); raise SystemExit(3)"
MISCONFIGURED = "print('INBOX_X is not set'); raise SystemExit(78)"


@asynccontextmanager
async def supervising() -> AsyncIterator[Supervisor]:
    async with asyncio.TaskGroup() as group:
        supervisor = Supervisor(group, Screen(), lambda: None)
        yield supervisor
        await supervisor.stop(list(supervisor.parts), timedelta(seconds=5))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_killed_process_is_started_again_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with supervising() as supervisor:
        part = a_part(tmp_path, WORKS)
        await supervisor.start(part)
        first = part.pid
        assert first is not None

        os.kill(first, signal.SIGKILL)

        await until(lambda: part.pid not in (first, None) and part.state == "running")
    assert "worker was ended by SIGKILL" in capsys.readouterr().out
    assert part.restarts == 1


async def test_a_process_that_never_gets_well_ends_the_start_with_its_words(
    tmp_path: Path,
) -> None:
    async with supervising() as supervisor:
        with pytest.raises(SuiteError) as failed:
            await supervisor.start(a_part(tmp_path, BROKEN))

    assert "ended by itself with code 3" in str(failed.value)
    assert "no such setting" in str(failed.value)


async def test_bad_settings_are_not_tried_again(tmp_path: Path) -> None:
    async with supervising() as supervisor:
        part = a_part(tmp_path, MISCONFIGURED)
        with pytest.raises(SuiteError, match="INBOX_X is not set"):
            await supervisor.start(part)

    assert part.restarts == 0


async def test_a_process_that_does_not_leave_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with supervising() as supervisor:
        part = a_part(tmp_path, DEAF)
        await supervisor.start(part)

        await supervisor.stop(["worker"], timedelta(seconds=0.5))

    assert part.pid is None
    assert "worker did not leave in time" in capsys.readouterr().out


async def test_a_nats_that_stores_nothing_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "NATS_WEDGED_SECONDS", 1.0)
    monkeypatch.setattr(up, "NATS_PROBE_EVERY_SECONDS", 0.1)
    with running_nats(tmp_path, users={"suite": "x"}) as server:
        watching = asyncio.ensure_future(up.watch_nats(server.url))
        await asyncio.sleep(1.5)
        assert not watching.done()
        pid = int((tmp_path / "nats.pid").read_text())

        os.kill(pid, signal.SIGSTOP)
        try:
            assert "stored nothing" in await asyncio.wait_for(watching, SOON)
        finally:
            os.kill(pid, signal.SIGCONT)
