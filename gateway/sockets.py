"""The two addresses of live sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.session import Session
from gateway.visitor_session import VisitorSession

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.agents import Agents
    from gateway.upgrade import Upgrade
    from gateway.visitors import Visitors


class Sockets:
    """Opens them."""

    def __init__(self, upgrade: Upgrade, agents: Agents, visitors: Visitors) -> None:
        self._upgrade = upgrade
        self._agents = agents
        self._visitors = visitors

    async def agents(self, request: web.Request) -> web.StreamResponse:
        """Serve `/ws`."""
        return await self._upgrade.open(request, Session, self._agents)

    async def visitors(self, request: web.Request) -> web.StreamResponse:
        """Serve `/ws/chat`."""
        return await self._upgrade.open(request, VisitorSession, self._visitors)
