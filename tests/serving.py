"""A real gRPC server on a loopback port, with callers of every role.

    async with serving((identity_v1.add_IdentityServiceServicer_to_server, servicer)) as server:
        stub = identity_v1.IdentityServiceStub(server.channel(Role.AGENT, workspace_id))
        await stub.GetSelf(identity_v1.GetSelfRequest())

Everything that stands around a handler in production stands around it here; only the keys that
sign tokens are the test's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
from joserfc.jwk import OKPKey

from chassis.auth import Caller, CredentialInvalid, Role, VisitorBinding
from chassis.auth_tokens import LIFETIME, KeySource, TokenVerifier, sign
from chassis.clock import Clock, SystemClock
from chassis.ids import WorkspaceId, new_id
from chassis.jwks import FixedKeys
from chassis.limits import RateLimit
from chassis.revocations import Revocations
from chassis.rpc.authentication import AUTHORIZATION, Authenticator, Exchange
from chassis.rpc.channel import Channel, Credential, Metadata
from chassis.rpc.guard import Guard
from chassis.rpc.server import Registrar
from chassis.server import OPTIONS

SERVICE_KEY = "service." + "test-service-key-".ljust(40, "0")


def new_workspace_id() -> WorkspaceId:
    return WorkspaceId(new_id())


class Tokens:
    """Mints access tokens that a test's servers accept."""

    def __init__(self, clock: Clock | None = None, key_id: str = "test") -> None:
        self.clock = clock or SystemClock()
        self.key = OKPKey.generate_key("Ed25519", {"kid": key_id})

    def token(
        self,
        role: Role,
        workspace_id: WorkspaceId | None,
        *,
        within: timedelta = LIFETIME,
        version: int = 0,
        **caller: Any,
    ) -> str:
        """A token; `id`, `display_name`, `credential_id` and `visitor` may be given."""
        present = Caller(id=new_id(), role=role, workspace_id=workspace_id)
        if role is Role.VISITOR:
            binding = VisitorBinding(new_id(), "external", new_id())
            present = replace(present, visitor=binding)
        present = replace(present, **caller)
        at = self.clock.now()
        return sign(self.key, present, at=at, within=within, version=version).token

    def metadata(self, role: Role, workspace_id: WorkspaceId | None, **caller: Any) -> Metadata:
        """The same as call metadata."""
        return bearer(self.token(role, workspace_id, **caller))


def bearer(credential: str) -> Metadata:
    return ((AUTHORIZATION, f"Bearer {credential}"),)


class Serving:
    """A running server."""

    def __init__(
        self, port: int, tokens: Tokens, guard: Guard, revocations: Revocations, clock: Clock
    ) -> None:
        self.address = f"127.0.0.1:{port}"
        self.tokens = tokens
        self.guard = guard
        self.revocations = revocations
        self._clock = clock
        self._channels: list[Channel] = []

    def channel(self, role: Role, workspace_id: WorkspaceId | None, **caller: Any) -> Channel:
        """A channel of a caller with a token."""
        return self.channel_with(self.tokens.metadata(role, workspace_id, **caller))

    def service_channel(self) -> Channel:
        """A channel of another process of the suite."""
        return self.channel_with(Credential("test", SERVICE_KEY).metadata())

    def channel_with(self, metadata: Metadata) -> Channel:
        """A channel with any credential, or none."""
        opened = Channel(grpc.aio.insecure_channel(self.address), metadata, self._clock)
        self._channels.append(opened)
        return opened

    async def close(self) -> None:
        for opened in self._channels:
            await opened.close()


async def no_exchange(api_key: str) -> str:
    del api_key
    raise CredentialInvalid


@asynccontextmanager
async def serving(
    *services: tuple[Any, Any],
    clock: Clock | None = None,
    tokens: Tokens | None = None,
    keys: KeySource | None = None,
    exchange: Exchange = no_exchange,
    calls_per_second: float = 10_000,
    calls_burst: int = 10_000,
) -> AsyncIterator[Serving]:
    """Serve `(add_…_to_server, servicer)` pairs for the length of the block.

    Callers' tokens are verified by `keys`, else by those of `tokens`.
    """
    clock = clock or SystemClock()
    tokens = tokens or Tokens(clock)
    revocations = Revocations(clock)
    authenticator = Authenticator(
        verifier=TokenVerifier(keys or FixedKeys(tokens.key), clock, revocations),
        exchange=exchange,
        service_key=SERVICE_KEY,
        clock=clock,
    )
    limit = RateLimit(clock, per_second=calls_per_second, burst=calls_burst)
    guard = Guard(authenticator=authenticator, limit=limit, clock=clock)
    registrar = Registrar(guard)
    for add_to_server, servicer in services:
        registrar.add(add_to_server, servicer)
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((registrar.handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    running = Serving(port, tokens, guard, revocations, clock)
    try:
        yield running
    finally:
        await running.close()
        guard.draining.set()
        await server.stop(0)
