"""One process that serves gRPC: settings in, signals out, everything between wired by hand.

async def wire(process: Process, settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value())
    process.on_close(database.close)
    process.serve(media_v1.add_MediaServiceServicer_to_server, MediaService(database))
    process.supervise("sweep", sweeper.run)

if __name__ == "__main__":
    main("media", Settings, wire)
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypeVar

import grpc
import uvloop

from chassis import logs, metrics, tls
from chassis.auth_tokens import KeySource, TokenVerifier
from chassis.bus import Bus
from chassis.clock import Clock, SystemClock
from chassis.health import Health, Readiness
from chassis.identity_client import IdentityClient
from chassis.jwks import JwksCache
from chassis.limits import RateLimit
from chassis.logs import log
from chassis.revocations import LIVE_SUBJECTS, Revocations
from chassis.rpc.authentication import Authenticator, Exchange
from chassis.rpc.call import Guard
from chassis.rpc.channel import Channel, Credential, channel
from chassis.rpc.server import MAX_RECEIVED_BYTES, Registrar
from chassis.settings import (
    EXIT_BAD_SETTINGS,
    IdentityClientSettings,
    NatsSettings,
    ServiceSettings,
    host_and_port,
    load,
)
from chassis.tasks import Supervisor

CONNECTION_AGE = timedelta(seconds=60)
"""Connections end after about this long (grpc adds jitter), so that clients meet new replicas.
Calls under way go on to their own end: the age has no grace period after which they were cut."""
MAX_CALLS_AT_ONCE = 4096
GOODBYE = timedelta(milliseconds=300)
"""Between saying "not serving" and closing the port, for balancers to hear it."""
DRAIN_WITHIN = timedelta(seconds=5)
CLOSE_WITHIN = timedelta(seconds=2)
SWITCH_INTERVAL_SECONDS = 0.0005
"""The event loop waits at most this long behind a busy thread; it halves the slowest calls."""

OPTIONS = (
    # Two processes on one port would share calls in silence; the second should fail instead.
    ("grpc.so_reuseport", 0),
    ("grpc.max_connection_age_ms", int(CONNECTION_AGE.total_seconds() * 1000)),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
    ("grpc.max_send_message_length", MAX_RECEIVED_BYTES),
)

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Servicer = TypeVar("Servicer")
Closer = Callable[[], Awaitable[None]]


class Process:
    """What a service hands its parts to while it is wired."""

    def __init__(
        self, name: str, settings: ServiceSettings, supervisor: Supervisor, clock: Clock
    ) -> None:
        self.name = name
        self.clock = clock
        self.readiness = Readiness()
        self.revocations = Revocations(clock)
        self.registrar: Registrar | None = None
        self.guard: Guard | None = None
        self._settings = settings
        self._supervisor = supervisor
        self._closers: list[Closer] = []
        self._bus: Bus | None = None

    def serve(
        self,
        add_to_server: Callable[[Servicer, grpc.aio.Server], None],
        servicer: Servicer,
    ) -> None:
        """Serve a gRPC service by its generated function. Raises: PolicyMissing."""
        if self.registrar is None:
            self._authenticate_by_identity()
        assert self.registrar is not None  # noqa: S101 - set on the line above
        self.registrar.add(add_to_server, servicer)

    def supervise(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep a background loop running, from now to the end of the process."""
        self._supervisor.supervise(name, run)

    def ready_when(self, part: str, check: Callable[[], str | None]) -> None:
        """Take traffic only while `check` returns None; otherwise it says what is missing."""
        self.readiness.add(part, check)

    def on_close(self, close: Closer) -> None:
        """Call this at the end, after the last call; the latest added first."""
        self._closers.append(close)

    def channel(self, addresses: Sequence[str]) -> Channel:
        """A channel to another service, with this process's credential."""
        opened = channel(
            addresses,
            credential=Credential(self.name, self._settings.service_key.get_secret_value()),
            tls=tls.channel_credentials(self._settings),
            clock=self.clock,
        )
        self.on_close(opened.close)
        return opened

    @property
    def bus(self) -> Bus:
        """This process's connection to NATS, kept up from the first use on."""
        if self._bus is None:
            if not isinstance(self._settings, NatsSettings):
                raise TypeError(f"{self.name} needs NatsSettings to use the event bus")
            self._bus = Bus(self._settings.nats_url.get_secret_value(), name=self.name)
            self.supervise("bus", self._bus.run)
        return self._bus

    def authenticate(self, keys: KeySource, exchange: Exchange) -> None:
        """Check callers by these; before the first `serve`. Only identity needs to call it."""
        if isinstance(self._settings, NatsSettings):
            self.supervise("revocation hints", self._hear_revocations)
        authenticator = Authenticator(
            verifier=TokenVerifier(keys, self.clock, self.revocations),
            exchange=exchange,
            service_key=self._settings.service_key.get_secret_value(),
            clock=self.clock,
        )
        limit = RateLimit(
            self.clock,
            per_second=self._settings.calls_per_second,
            burst=self._settings.calls_burst,
        )
        self.guard = Guard(authenticator=authenticator, limit=limit, clock=self.clock)
        self.registrar = Registrar(self.guard)

    def _authenticate_by_identity(self) -> None:
        if not isinstance(self._settings, IdentityClientSettings):
            raise TypeError(f"{self.name} needs IdentityClientSettings to know its callers")
        identity = IdentityClient(self.channel(self._settings.identity_address))
        keys = JwksCache(identity.key_set, self.clock)
        self.supervise("identity keys", keys.run)
        self.ready_when("identity keys", lambda: None if keys.is_loaded else "not fetched yet")
        self.authenticate(keys, identity.exchange)

    async def _hear_revocations(self) -> None:
        await self.bus.subscribe(LIVE_SUBJECTS, self.revocations.take_hint)
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close what was handed over, the latest first."""
        async with AsyncExitStack() as stack:
            for close in self._closers:
                stack.push_async_callback(close)


Wire = Callable[[Process, SettingsT], Awaitable[None]]


def main(name: str, kind: type[SettingsT], wire: Wire[SettingsT]) -> None:
    """Run the process until SIGTERM or SIGINT."""
    settings = load(kind, sys.argv[1:])
    logs.configure(name, settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        uvloop.run(run(name, settings, wire))
    except (tls.NotPrivate, metrics.MetricsNotPrivate) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)


async def run(
    name: str,
    settings: SettingsT,
    wire: Wire[SettingsT],
    *,
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
    listening: Callable[[int], None] | None = None,
) -> None:
    """Wire, serve, and drain once `stop` is set or a signal came."""
    tls.refuse_open_network(settings.listen, settings)
    if settings.metrics_listen:
        metrics.serve(settings.metrics_listen, trusted_network=settings.trusted_network)
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Supervisor(clock) as supervisor:
        process = Process(name, settings, supervisor, clock or SystemClock())
        try:
            await _serve(process, settings, wire, stop, listening)
        finally:
            supervisor.stop()
            async with asyncio.timeout(CLOSE_WITHIN.total_seconds()):
                await process.close()


async def _serve(
    process: Process,
    settings: SettingsT,
    wire: Wire[SettingsT],
    stop: asyncio.Event,
    listening: Callable[[int], None] | None,
) -> None:
    await wire(process, settings)
    if process.registrar is None or process.guard is None:
        raise TypeError(f"{process.name} serves nothing")
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS_AT_ONCE)
    health = Health(process.registrar.service_names, server)
    server.add_generic_rpc_handlers((process.registrar.handlers(),))
    credentials = tls.server_credentials(settings)
    if credentials is None:
        port = server.add_insecure_port(settings.listen)
    else:
        port = server.add_secure_port(settings.listen, credentials)
    await server.start()
    log.info("listening", host=host_and_port(settings.listen)[0], port=port)
    if listening is not None:
        listening(port)
    process.supervise("readiness", lambda: health.follow(process.readiness))
    await stop.wait()
    log.info("draining")
    await health.leave()
    process.guard.draining.set()
    await process.clock.sleep(GOODBYE)
    await server.stop(DRAIN_WITHIN.total_seconds())
    log.info("drained")
