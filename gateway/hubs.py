"""The hubs of this process: made when the first socket of a workspace comes, let go when idle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.hub import Hub

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.hub import Listener
    from gateway.trunk import Trunk

KEPT_IDLE_SECONDS = 60.0
"""Longer than a reload or a reconnect takes."""
LOOK_EVERY_SECONDS = 10.0


class Hubs:
    """By workspace."""

    def __init__(self, trunk: Trunk) -> None:
        self._trunk = trunk
        self.listeners: list[Listener] = []
        """Hear every event of every workspace."""
        self._hubs: dict[str, Hub] = {}
        self._idle_since: dict[str, float] = {}

    def of(self, workspace_id: str) -> Hub:
        """The workspace's hub; a fresh one begins to watch."""
        known = self._hubs.get(workspace_id)
        if known is not None:
            self._idle_since.pop(workspace_id, None)
            return known
        hub = self._hubs[workspace_id] = Hub(workspace_id, self.listeners)
        self._trunk.begin(hub)
        return hub

    def leave(self, workspace_id: str, connection: Connection[Any]) -> None:
        """A socket is gone, wherever it was on its way to joining."""
        known = self._hubs.get(workspace_id)
        if known is not None:
            known.leave(connection)

    def all(self) -> list[Hub]:
        """Every hub there is."""
        return list(self._hubs.values())

    async def run(self) -> None:
        """Let go of hubs that nobody needed for a while."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            for workspace_id, hub in tuple(self._hubs.items()):
                if hub.attached:
                    self._idle_since.pop(workspace_id, None)
                    continue
                since = self._idle_since.setdefault(workspace_id, loop.time())
                if loop.time() - since >= KEPT_IDLE_SECONDS:
                    self._trunk.end(hub)
                    del self._hubs[workspace_id], self._idle_since[workspace_id]
