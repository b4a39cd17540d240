"""What a service hands its parts to while it is wired: serving, loops, channels, the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

import grpc

from chassis import hints, tls
from chassis.auth_tokens import KeySource, TokenVerifier
from chassis.bus import Bus
from chassis.clock import Clock
from chassis.health import Readiness
from chassis.identity_client import IdentityClient
from chassis.jwks import JwksCache
from chassis.limits import RateLimit
from chassis.revocations import LIVE_SUBJECT, ReadLog, Revocations
from chassis.rpc.authentication import Authenticator, Exchange
from chassis.rpc.channel import Channel, Credential, channel
from chassis.rpc.guard import Guard
from chassis.rpc.server import Registrar
from chassis.settings import IdentityClientSettings, NatsSettings, ServiceSettings
from chassis.tasks import Supervisor

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
            self._bus = Bus(
                self._settings.nats_url.get_secret_value(),
                name=self.name,
                monitor_url=self._settings.nats_monitor_url,
            )
            self.supervise("bus", self._bus.run)
        return self._bus

    def authenticate(self, keys: KeySource, exchange: Exchange, read_log: ReadLog) -> None:
        """Check callers by these; before the first `serve`. Only identity needs to call it."""
        revocations = self.revocations
        self.supervise("revocations", lambda: revocations.follow(read_log))
        self.ready_when(
            "revocations", lambda: None if revocations.is_caught_up else "not read to the end yet"
        )
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
        self.authenticate(keys, identity.exchange, identity.read_log)

    async def _hear_revocations(self) -> None:
        await self.bus.subscribe(LIVE_SUBJECT, hints.reader(self.revocations.take_hint))
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close what was handed over, the latest first."""
        async with AsyncExitStack() as stack:
            for close in self._closers:
                stack.push_async_callback(close)
