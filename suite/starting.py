"""The two ways to start a program: a process of its own, or a fork that is loaded already."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Protocol

from suite.forkserver import program_arguments
from suite.infra.program import Program, SuiteError, last_lines
from suite.settings import python_environment, python_program

if TYPE_CHECKING:
    from pathlib import Path

LINE_BYTES = 256 * 1024


class Running(Protocol):
    """A process under way."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    @property
    def returncode(self) -> int | None:
        """How it ended: an exit code, or a signal's number below zero; None while it lives."""
        ...

    async def wait(self) -> int:
        """Return once it has ended, with how."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        ...


async def execute(program: Program) -> Running:
    """Start a program as a child of this process."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.launch_arguments(),
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            pass_fds=program.inherit,
        )


class Forked:
    """A child of the fork server, as that tells of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        """Return once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None  # noqa: S101 - set before the event
        return self.returncode

    def send_signal(self, signal: int) -> None:
        """Send it a signal; its parent keeps the id taken until it has told of the end."""
        if self.returncode is None:
            os.kill(self.pid, signal)

    def end(self, code: int) -> None:
        """Note how it ended."""
        self.returncode = code
        self._ended.set()


class ServerGone(Exception):
    """The fork server ended before it answered."""


class Forks:
    """The fork server and what it was asked for. Started when first needed, and again."""

    def __init__(self, group: asyncio.TaskGroup, log: Path, inherit: tuple[int, ...]) -> None:
        self._group = group
        self._log = log
        self._inherit = inherit
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Forked]] = {}
        self._living: dict[int, Forked] = {}
        self._starting = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None

    async def prepare(self) -> None:
        """Start the server, unless it runs; it loads for about a second."""
        async with self._starting:
            if self._writer is not None:
                return
            ours, theirs = socket.socketpair()
            program = Program(
                name="forkserver",
                argv=(python_program(), *program_arguments(theirs.fileno())),
                environment=python_environment(),
                log=self._log,
                inherit=(*self._inherit, theirs.fileno()),
            )
            server = await execute(program)
            theirs.close()
            reader, writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES)
            if not await reader.readline():
                writer.close()
                raise SuiteError(f"services could not be loaded:\n{last_lines(self._log)}")
            self._writer = writer
            self._group.create_task(self._listen(reader, writer, server))

    async def fork(self, program: Program) -> Running:
        """Start a module as a fork; as a process of its own when the server goes just then."""
        try:
            return await self._ask(program)
        except ServerGone:
            return await execute(program)

    async def _ask(self, program: Program) -> Forked:
        await self.prepare()
        number = next(self._numbers)
        answer: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        module, *arguments = program.module
        request = {
            "fork": number,
            "module": module,
            "arguments": arguments,
            "environment": dict(program.environment),
            "log": str(program.log),
            "stop_signal": int(program.stop_signal),
        }
        if self._writer is None:
            raise ServerGone
        self._writer.write(json.dumps(request).encode() + b"\n")
        return await answer

    def close(self) -> None:
        """Let the server go; its children are told so by the kernel."""
        if self._writer is not None:
            self._writer.close()

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Running
    ) -> None:
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                self._hear(json.loads(line))
        # Without it nobody can tell how its children end: they leave, as the kernel tells them.
        self._writer = None
        writer.close()
        for child in self._living.values():
            child.end(-signal.SIGTERM)
        self._living.clear()
        for answer in self._asked.values():
            answer.set_exception(ServerGone())
        self._asked.clear()
        await server.wait()

    def _hear(self, news: dict[str, Any]) -> None:
        if "fork" in news:
            child = self._living[news["pid"]] = Forked(news["pid"])
            answer = self._asked.pop(news["fork"])
            if not answer.done():
                answer.set_result(child)
        else:
            self._living.pop(news["pid"]).end(news["code"])


def can_fork() -> bool:
    """Whether a loaded process may be forked here: elsewhere system libraries mind."""
    return sys.platform == "linux"
