"""Another server on this machine, for the length of a block."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from suite.infra.ports import LOOPBACK
from suite.infra.program import Deadline, Program, SuiteError, last_lines, start, stop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

LISTENS_WITHIN = timedelta(seconds=60)
STOP_WITHIN = timedelta(seconds=4)
POLL_SECONDS = 0.05


@asynccontextmanager
async def running(
    name: str,
    command: list[str],
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[int]:
    """Start a program and wait until its port answers; its process id. Raises: SuiteError."""
    program = Program(
        name=name,
        argv=tuple(command),
        environment=environment or {"PATH": os.defpath, "HOME": str(folder)},
        log=folder / f"{name}.log",
    )
    process = start(program)
    try:
        deadline = Deadline(LISTENS_WITHIN)
        while not await answers(port):
            if process.poll() is not None or deadline.is_over:
                raise SuiteError(f"{name} did not start:\n{last_lines(program.log)}")
            await asyncio.sleep(POLL_SECONDS)
        yield process.pid
    finally:
        await asyncio.to_thread(stop, process, program, within=STOP_WITHIN)


async def answers(port: int) -> bool:
    """Whether something listens there."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
