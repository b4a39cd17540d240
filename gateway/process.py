"""One gateway process: its parts wired by hand, its start and its end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from aiohttp import web

from chassis import tls
from chassis.auth_tokens import TokenVerifier
from chassis.clock import Clock, SystemClock
from chassis.identity_client import IdentityClient
from chassis.jwks import JwksCache
from chassis.logs import log
from chassis.settings import host_and_port
from gateway.agents import Agents
from gateway.app import Parts, application
from gateway.auth import AuthRoutes, Credentials
from gateway.catch_up import CatchUp
from gateway.client_address import ClientAddresses
from gateway.connect import Connect
from gateway.downloads import Downloads
from gateway.drain import drain
from gateway.embedding import Embedding
from gateway.health import Health
from gateway.hubs import Hubs
from gateway.jobs import Jobs
from gateway.methods import public_methods
from gateway.origins import Origins
from gateway.presence import Presences
from gateway.rooms import Rooms
from gateway.sends import Sends
from gateway.sessions import Sessions
from gateway.simulator import Simulator
from gateway.sockets import Sockets
from gateway.static import Static
from gateway.sweeper import Sweeper
from gateway.trunk import Trunk
from gateway.upgrade import Upgrade
from gateway.upstream import Upstream
from gateway.visitors import Visitors
from gateway.webhooks import Webhooks

if TYPE_CHECKING:
    from types import TracebackType

    from gateway.settings import GatewaySettings

BACKLOG = 4096
KEEP_ALIVE_SECONDS = 75.0
LAST_REQUESTS_SECONDS = 2.0
"""How long requests under way may still take once the sockets have left."""
GOODBYE_SECONDS = 0.3
"""Between saying "not ready" and sending sockets away, for balancers to hear it."""


class Gateway:
    """Everything of one process; leaving the block has drained and closed it."""

    def __init__(self, settings: GatewaySettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.health = Health()
        self.sweeper = Sweeper()
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    async def __aenter__(self) -> Self:
        """Start serving. Raises: NotPrivate, OSError."""
        tls.refuse_open_network(self.settings.http_listen, self.settings)
        upstream = Upstream(self.settings)
        self._stack.push_async_callback(upstream.close)
        jobs = await self._stack.enter_async_context(Jobs())
        jobs.keep("sweeper", self.sweeper.run)
        sends = Sends(upstream, self.settings.messaging_address)
        sends.start(jobs)
        parts = self._parts(upstream, jobs, sends)
        await self._listen(application(parts))
        # Undone in the opposite order: sockets leave first, the listener goes last of the two.
        self._stack.push_async_callback(self._drain, sends)
        self.health.set_ready(is_ready=True)
        log.info("gateway_started", port=self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.health.set_ready(is_ready=False)
        await self._stack.aclose()

    def _parts(self, upstream: Upstream, jobs: Jobs, sends: Sends) -> Parts:
        settings, clock = self.settings, self._clock
        origins = Origins(settings.origins)
        sessions = Sessions(upstream, clock)
        credentials = Credentials(sessions, origins)
        simulator = Simulator(settings.simulator_url) if settings.simulator_url else None
        return Parts(
            health=self.health,
            auth=AuthRoutes(
                upstream,
                sessions,
                credentials,
                origins,
                ClientAddresses(is_network_trusted=settings.trusted_network),
                is_https=settings.is_https,
            ),
            connect=Connect(public_methods(), upstream, credentials),
            webhooks=Webhooks(upstream),
            downloads=Downloads(upstream, clock),
            sockets=self._sockets(upstream, jobs, sends, origins),
            static=Static(settings.web_root, settings.public_url, Embedding(upstream, clock)),
            simulator=simulator,
        )

    def _sockets(self, upstream: Upstream, jobs: Jobs, sends: Sends, origins: Origins) -> Sockets:
        trunk = Trunk(upstream)
        jobs.keep("trunk", trunk.run)
        hubs = Hubs(trunk)
        jobs.keep("hubs", hubs.run)
        presences = Presences(upstream)
        presences.start(jobs)
        rooms = Rooms()
        keys = JwksCache(IdentityClient(upstream.own("identity")).key_set, self._clock)
        jobs.keep("identity keys", keys.run)
        agents = Agents(
            upstream=upstream,
            hubs=hubs,
            catch_up=CatchUp(upstream.watch),
            sends=sends,
            presences=presences,
            jobs=jobs,
            clock=self._clock,
        )
        visitors = Visitors(
            upstream=upstream,
            verifier=TokenVerifier(keys, self._clock),
            hubs=hubs,
            rooms=rooms,
            presences=presences,
            jobs=jobs,
            clock=self._clock,
        )
        hubs.listeners += [agents.notice, rooms.notice]
        upgrade = Upgrade(origins, self.sweeper, self.health, self.settings.max_sockets)
        return Sockets(upgrade, agents, visitors)

    async def _drain(self, sends: Sends) -> None:
        if any(connection.is_open for connection in self.sweeper.all()):
            await asyncio.sleep(GOODBYE_SECONDS)
            await drain(self.sweeper, sends)

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
