"""One gateway process: its parts wired by hand, its start and its end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from aiohttp import web

from chassis import tls
from chassis.clock import Clock, SystemClock
from chassis.logs import log
from chassis.settings import host_and_port
from gateway.app import Parts, application
from gateway.auth import AuthRoutes, Credentials
from gateway.connect import Connect
from gateway.embedding import Embedding
from gateway.health import Health
from gateway.methods import public_methods
from gateway.origins import Origins
from gateway.sessions import Sessions
from gateway.simulator import Simulator
from gateway.static import Static
from gateway.upstream import Upstream
from gateway.webhooks import Webhooks

if TYPE_CHECKING:
    from types import TracebackType

    from gateway.settings import GatewaySettings

BACKLOG = 4096
KEEP_ALIVE_SECONDS = 75.0
LAST_REQUESTS_SECONDS = 3.0
"""How long requests under way may still take once the drain began."""


class Gateway:
    """Everything of one process; leaving the block has closed it."""

    def __init__(self, settings: GatewaySettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.health = Health()
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    async def __aenter__(self) -> Self:
        """Start serving. Raises: NotPrivate, OSError."""
        settings = self.settings
        tls.refuse_open_network(settings.http_listen, settings)
        upstream = Upstream(settings)
        self._stack.push_async_callback(upstream.close)
        origins = Origins(settings.origins)
        sessions = Sessions(upstream, self._clock)
        credentials = Credentials(sessions, origins)
        embedding = Embedding(upstream, self._clock)
        parts = Parts(
            health=self.health,
            auth=AuthRoutes(upstream, sessions, credentials, origins, is_https=settings.is_https),
            connect=Connect(public_methods(), upstream, credentials),
            webhooks=Webhooks(upstream),
            static=Static(settings.web_root, settings.public_url, embedding),
            simulator=Simulator(settings.simulator_url) if settings.simulator_url else None,
        )
        await self._listen(application(parts))
        self.health.set_ready(is_ready=True)
        log.info("gateway_started", port=self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.drain()
        await self._stack.aclose()

    async def drain(self) -> None:
        """Take no more traffic and let what is under way come to its end."""
        self.health.set_ready(is_ready=False)

    async def _listen(self, app: web.Application) -> None:
        listener = _socket(self.settings)
        self._port = listener.getsockname()[1]
        runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            shutdown_timeout=LAST_REQUESTS_SECONDS,
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()


def _socket(settings: GatewaySettings) -> socket.socket:
    host, port = host_and_port(settings.http_listen)
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(address)
    listener.setblocking(False)
    return listener


async def run(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then drain."""
    async with Gateway(settings):
        await stop.wait()
