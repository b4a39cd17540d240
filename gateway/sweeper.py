"""Time for all sockets of the process: one loop, one second, no timer per socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.connection import Connection

TICK_SECONDS = 1.0
SOCKETS_AT_ONCE = 500
"""After so many ticks other work gets its turn."""


class Sweeper:
    """Ticks every socket from its handshake until it is gone."""

    def __init__(self, tick_seconds: float = TICK_SECONDS) -> None:
        self._connections: set[Connection[Any]] = set()
        self._tick_seconds = tick_seconds

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: Connection[Any]) -> None:
        """Watch over a socket."""
        self._connections.add(connection)

    def all(self) -> list[Connection[Any]]:
        """Every socket there is."""
        return list(self._connections)

    async def run(self) -> None:
        """Tick for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._tick_seconds)
            for number, connection in enumerate(self.all()):
                if not connection.tick(loop.time()):
                    self._connections.discard(connection)
                if number % SOCKETS_AT_ONCE == SOCKETS_AT_ONCE - 1:
                    await asyncio.sleep(0)
