"""A TCP line between a client and a server that can lose answers and be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE_BYTES = 65_536
WITHIN_SECONDS = 10.0


class Line:
    """Passes bytes on, until a test says otherwise; `target` may change between connections."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.address = ""
        self.connections = 0
        self._answers = asyncio.Event()
        self._answers.set()
        self._ends: set[asyncio.StreamWriter] = set()

    def hold_answers(self) -> None:
        """What the server says goes nowhere from now on; what the client says arrives."""
        self._answers.clear()

    def release_answers(self) -> None:
        """What the server said arrives after all."""
        self._answers.set()

    def cut(self) -> None:
        """End every connection. Answers that were held are lost; new connections are whole."""
        for end in self._ends:
            end.transport.abort()
        self._answers.set()  # what was held is written to a line that is no more
        self._answers = asyncio.Event()
        self._answers.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        self.connections += 1
        host, _, port = self.target.rpartition(":")
        try:
            behind, ahead = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        answers = self._answers
        ends = {writer, ahead}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, ahead, None))
                group.create_task(self._pass(behind, writer, answers))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()
                with suppress(ConnectionError):
                    await end.wait_closed()

    @staticmethod
    async def _pass(
        source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event | None
    ) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(PIECE_BYTES):
                if gate is not None:
                    await gate.wait()
                sink.write(piece)
                await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def a_line(target: str) -> AsyncIterator[Line]:
    """A line to `host:port`."""
    line = Line(target)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(line.take(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    line.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        line.cut()
        if tasks:
            await asyncio.wait(tasks, timeout=WITHIN_SECONDS)
