"""Calling other services: one channel over all replicas of a service.

Every call gets a deadline (never longer than what is left of the call being served), the trace,
and this process's service key unless the caller brings a credential of its own:

    stub = messaging_v1.MessagingServiceStub(channel(settings.messaging_address, key=…))
    await stub.GetThread(request, metadata=in_workspace(workspace_id))
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import grpc

from chassis import tracing
from chassis.clock import Clock, SystemClock
from chassis.errors import CannotStart
from chassis.ids import WorkspaceId
from chassis.rpc.authentication import AUTHORIZATION, SERVICE, WORKSPACE
from chassis.rpc.call import REQUEST_ID, current_call
from chassis.rpc.server import MAX_RECEIVED_BYTES
from chassis.settings import host_and_port

DEFAULT_DEADLINE = timedelta(seconds=10)
KEEPALIVE_EVERY = timedelta(seconds=20)
KEEPALIVE_WITHIN = timedelta(seconds=5)

Metadata = tuple[tuple[str, str], ...]


class AddressesMixed(CannotStart):
    """Several addresses must all be IP addresses; a host name stands for all its own."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What this process shows to the others of its suite."""

    service: str
    key: str

    def metadata(self) -> Metadata:
        """As call metadata. During a change of keys the first one is shown."""
        present = self.key.split(",", 1)[0].strip()
        return ((AUTHORIZATION, f"Bearer {present}"), (SERVICE, self.service))


def in_workspace(workspace_id: WorkspaceId) -> Metadata:
    """Metadata that lets the service key act in a workspace."""
    return ((WORKSPACE, workspace_id),)


def target_of(addresses: Sequence[str]) -> str:
    """The gRPC target that stands for all addresses. Raises: AddressesMixed."""
    pairs = [host_and_port(address) for address in addresses]
    if len(pairs) == 1 and not _version(pairs[0][0]):
        return f"dns:///{addresses[0]}"
    versions = {_version(host) for host, _ in pairs}
    if versions == {4}:
        return "ipv4:///" + ",".join(f"{host}:{port}" for host, port in pairs)
    if versions == {6}:
        return "ipv6:///" + ",".join(f"[{host}]:{port}" for host, port in pairs)
    raise AddressesMixed(f"{', '.join(addresses)}: give one host name, or IP addresses of one kind")


def _version(host: str) -> int:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 0


OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ("grpc.keepalive_time_ms", int(KEEPALIVE_EVERY.total_seconds() * 1000)),
    ("grpc.keepalive_timeout_ms", int(KEEPALIVE_WITHIN.total_seconds() * 1000)),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
    ("grpc.max_send_message_length", MAX_RECEIVED_BYTES),
    # Channels of one process must not share connections: each has its own life.
    ("grpc.use_local_subchannel_pool", 1),
)


def channel(
    addresses: Sequence[str],
    *,
    credential: Credential | None = None,
    tls: grpc.ChannelCredentials | None = None,
    clock: Clock | None = None,
) -> Channel:
    """A channel that spreads calls over all replicas; close it when done.

    Raises: AddressesMixed.
    """
    target = target_of(addresses)
    if tls is None:
        inner = grpc.aio.insecure_channel(target, OPTIONS)
    else:
        inner = grpc.aio.secure_channel(target, tls, OPTIONS)
    shown = credential.metadata() if credential is not None else ()
    return Channel(inner, shown, clock or SystemClock())


class Channel(grpc.aio.Channel):
    """A grpc.aio channel whose calls carry deadline, trace and credential by themselves."""

    def __init__(self, inner: grpc.aio.Channel, credential: Metadata, clock: Clock) -> None:
        """`credential` goes with every call that brings none of its own."""
        self._inner = inner
        self._credential = credential
        self._clock = clock

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        return self._finite(self._inner.unary_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        return self._endless(self._inner.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        return self._endless(self._inner.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        return self._endless(self._inner.stream_stream(method, *args, **kwargs))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """End the channel and its calls."""
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """As grpc.aio.Channel."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """As grpc.aio.Channel."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """As grpc.aio.Channel."""
        await self._inner.channel_ready()

    def _finite(self, multicallable: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
            wanted = DEFAULT_DEADLINE.total_seconds() if timeout is None else timeout
            # A replica that restarts costs its callers time within their deadline, not a failure.
            kwargs.setdefault("wait_for_ready", True)
            return multicallable(*args, timeout=self._bounded(wanted), **self._complete(kwargs))

        return call

    def _endless(self, multicallable: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
            return multicallable(*args, timeout=self._bounded(timeout), **self._complete(kwargs))

        return call

    def _bounded(self, wanted: float | None) -> float | None:
        serving = current_call.get()
        if serving is None or serving.deadline is None:
            return wanted
        left = max(serving.deadline - self._clock.monotonic(), 0.0)
        return left if wanted is None else min(wanted, left)

    def _complete(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        given = tuple(kwargs.pop("metadata", None) or ())
        names = {key for key, _ in given}
        added: list[tuple[str, str]] = []
        if AUTHORIZATION not in names:
            added += self._credential
        trace = tracing.traceparent()
        if trace and tracing.HEADER not in names:
            added.append((tracing.HEADER, trace))
        serving = current_call.get()
        if serving is not None and REQUEST_ID not in names:
            added.append((REQUEST_ID, serving.request_id))
        return {**kwargs, "metadata": (*given, *added)}
