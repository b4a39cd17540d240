"""The services behind the gateway: channels for what callers ask, and channels for what it does.

Two kinds that must not be mixed up: `forwarding` adds no credential, so a caller can do only what
the caller's own credential allows; `own` shows the suite's service key.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import grpc

from chassis import tls
from chassis.ids import WorkspaceId
from chassis.rpc.channel import Channel, Credential, channel, in_workspace
from gateway.methods import PUBLIC_DOMAINS
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.methods import Method
    from gateway.settings import GatewaySettings

Metadata = list[tuple[str, str]]
RawCall = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
WATCH = "/inbox.realtime.v1.RealtimeService/Watch"


class Upstream:
    """Every channel of the process."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises: NotPrivate, AddressesMixed."""
        self._settings = settings
        self._tls = tls.channel_credentials(settings)
        self._credential = Credential("gateway", settings.service_key.get_secret_value())
        self._forwarding: dict[str, Channel] = {}
        self._own: dict[str, Channel] = {}
        for domain in PUBLIC_DOMAINS:
            addresses = settings.addresses(domain)
            self._forwarding[domain] = channel(addresses, tls=self._tls)
            self._own[domain] = self.open_own(addresses)
        self._calls: dict[str, RawCall] = {}
        self._watch: grpc.aio.UnaryStreamMultiCallable[
            realtime_v1.WatchRequest, realtime_v1.WatchBytes
        ] = self._own["realtime"].unary_stream(
            WATCH,
            request_serializer=realtime_v1.WatchRequest.SerializeToString,
            response_deserializer=realtime_v1.WatchBytes.FromString,
        )

        self._watch_workspaces = realtime_v1.RealtimeServiceStub(
            self._own["realtime"]
        ).WatchWorkspaces

    def forwarding(self, domain: str) -> Channel:
        """The channel for calls that bring their caller's credential."""
        return self._forwarding[domain]

    def own(self, domain: str) -> Channel:
        """The channel for what the gateway does by itself; never for a caller's request."""
        return self._own[domain]

    def open_own(self, addresses: Sequence[str]) -> Channel:
        """Another such channel, for streams kept one per replica; who opens it closes it."""
        return channel(addresses, credential=self._credential, tls=self._tls)

    async def call(
        self, method: Method, body: bytes, *, timeout: float, metadata: Metadata
    ) -> bytes:
        """One unary call with bytes on both sides. Raises: AioRpcError."""
        call = self._calls.get(method.path)
        if call is None:
            call = cast("RawCall", self._forwarding[method.domain].unary_unary(method.path))
            self._calls[method.path] = call
        return await call(body, timeout=timeout, metadata=metadata)

    @asynccontextmanager
    async def watch(
        self, workspace_id: str, position: str, until: str
    ) -> AsyncIterator[AsyncIterator[list[bytes]]]:
        """A workspace's live stream, in batches of serialised frames. Raises: AioRpcError."""
        call = self._watch(
            realtime_v1.WatchRequest(position=position, until_position=until),
            metadata=in_workspace(WorkspaceId(workspace_id)),
        )
        try:
            yield _frames(call)
        finally:
            call.cancel()

    def watch_workspaces(self) -> Any:
        """The live stream of many workspaces: said on it which, heard what happens there."""
        return self._watch_workspaces()

    async def close(self) -> None:
        """Close every channel."""
        for opened in (*self._forwarding.values(), *self._own.values()):
            await opened.close()


async def _frames(
    call: grpc.aio.UnaryStreamCall[realtime_v1.WatchRequest, realtime_v1.WatchBytes],
) -> AsyncIterator[list[bytes]]:
    async for batch in call:
        yield list(batch.frames)
