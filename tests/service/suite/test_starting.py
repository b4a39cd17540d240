"""Services are forks of a loaded process, and processes of their own all the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from suite.infra.program import Program
from suite.starting import Forks, Running, can_fork

MODULE = "tests.service.suite.forked_program"
SOON = 60.0

pytestmark = pytest.mark.skipif(not can_fork(), reason="only Linux forks loaded processes")


@pytest.fixture(scope="module")
async def forks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forks]:
    async with asyncio.TaskGroup() as group:
        forks = Forks(group, tmp_path_factory.mktemp("forks") / "forkserver.log", ())
        yield forks
        forks.close()


def a_program(folder: Path, name: str, does: str) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-P", "-m", MODULE, does),
        module=(MODULE, does),
        environment={"WORD": name},
        log=folder / f"{name}.log",
    )


async def told(program: Program) -> dict[str, Any]:
    async with asyncio.timeout(SOON):
        while not (program.log.exists() and b"\n" in program.log.read_bytes()):
            await asyncio.sleep(0.02)
    said: dict[str, Any] = json.loads(program.log.read_text().splitlines()[0])
    return said


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().split()[3])


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def ended(process: Running) -> int:
    return await asyncio.wait_for(process.wait(), SOON)


async def test_two_forks_share_no_id_no_group_and_no_environment(
    forks: Forks, tmp_path: Path
) -> None:
    programs = [a_program(tmp_path, name, "leave") for name in ("one", "two")]
    processes = [await forks.fork(program) for program in programs]
    codes = [await ended(process) for process in processes]
    one, two = [await told(program) for program in programs]

    assert codes == [0, 0]
    assert [one["pid"], two["pid"]] == [process.pid for process in processes]
    assert [one["group"], two["group"]] == [one["pid"], two["pid"]]
    assert not set(one["ids"]) & set(two["ids"])
    assert [one["word"], two["word"]] == ["one", "two"]
    assert one["home"] is None, "the environment is exactly the one that was given"
    assert (one["argument"], one["name"]) == ("leave", "__main__")


@pytest.mark.parametrize(
    ("does", "code", "words"),
    [("fail", 3, ""), ("complain", 1, "no such thing"), ("raise", 1, "LookupError: unheard of")],
)
async def test_an_end_is_told_as_it_was(
    forks: Forks, tmp_path: Path, does: str, code: int, words: str
) -> None:
    program = a_program(tmp_path, "it", does)

    assert await ended(await forks.fork(program)) == code

    assert words in program.log.read_text()


async def test_a_fork_is_asked_to_leave_and_can_be_killed(forks: Forks, tmp_path: Path) -> None:
    programs = [a_program(tmp_path, name, "stay") for name in ("one", "two")]
    processes = [await forks.fork(program) for program in programs]
    for program in programs:
        await told(program)

    processes[0].send_signal(signal.SIGTERM)
    processes[1].send_signal(signal.SIGKILL)

    assert [await ended(process) for process in processes] == [0, -signal.SIGKILL]


async def test_when_the_server_dies_its_children_leave_and_the_next_fork_has_a_new_one(
    forks: Forks, tmp_path: Path
) -> None:
    program = a_program(tmp_path, "one", "stay")
    process = await forks.fork(program)
    await told(program)
    server = parent_of(process.pid)

    os.kill(server, signal.SIGKILL)

    assert await ended(process) == -signal.SIGTERM
    async with asyncio.timeout(SOON):
        while is_there(process.pid):
            await asyncio.sleep(0.02)
    again = await forks.fork(a_program(tmp_path, "two", "leave"))
    assert await ended(again) == 0
