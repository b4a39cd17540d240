"""What every call of a client carries, and where it goes; shared by both kinds of channel."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc

from inbox_client.methods import Method
from inbox_client.retries import PATIENT, Retries, Tries

TIMEOUT = timedelta(seconds=30)
AUTHORIZATION = "authorization"
MAX_MESSAGE_BYTES = 8 * 2**20

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.primary_user_agent", "inbox-client"),
    # The next try must find a channel that looks for the server too.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)

Tls = bool | grpc.ChannelCredentials | None
"""Whether to speak TLS, or with which certificates; None: except to this same machine."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What goes with each call."""

    api_key: str = field(repr=False)
    timeout: timedelta = TIMEOUT
    """The whole call, repeats included."""
    retries: Retries = PATIENT
    now: Callable[[], float] = time.monotonic

    def tries(self, method: Method, timeout: float | None) -> Tries:
        """The tries of a call that may take `timeout` seconds in all."""
        within = self.timeout.total_seconds() if timeout is None else timeout
        return Tries(method, self.retries, within, self.now)

    def metadata(
        self, given: Iterable[tuple[str, str | bytes]] | None
    ) -> tuple[tuple[str, str | bytes], ...]:
        """The caller's own metadata and the key, unless the caller brings another credential."""
        metadata = tuple(given or ())
        if any(key == AUTHORIZATION for key, _ in metadata):
            return metadata
        return (*metadata, (AUTHORIZATION, f"Bearer {self.api_key}"))


def credentials_for(address: str, tls: Tls) -> grpc.ChannelCredentials | None:
    """How to speak to an address; None is in the clear, where everybody between reads the key."""
    if isinstance(tls, grpc.ChannelCredentials):
        return tls
    wanted = not is_this_machine(address) if tls is None else tls
    return grpc.ssl_channel_credentials() if wanted else None


def is_this_machine(address: str) -> bool:
    """Whether a gRPC target needs no network."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition("/")[2].rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
