"""What the gateway reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from chassis.settings import Address, Addresses, IdentityClientSettings, TlsSettings, setting

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Names of the same machine: whoever opens one of them on a laptop means all."""


def origin_of(url: str) -> str:
    """`https://shop.example` of a URL with nothing behind the port. Raises: ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an origin, for example https://inbox.example")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin without a path, for example https://inbox.example")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _origin_or_nothing(url: str) -> str:
    return origin_of(url) if url else url


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _origins(urls: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(origin_of(url) for url in urls)


Origin = Annotated[str, AfterValidator(origin_of)]
OptionalUrl = Annotated[str, AfterValidator(_origin_or_nothing)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_origins)]


class GatewaySettings(IdentityClientSettings, TlsSettings):
    """One gateway process.

    It speaks plain HTTP itself: beyond loopback a proxy with TLS stands in front of it.
    """

    http_listen: Address = setting(
        "HTTP and WebSocket listen address; port 0 picks a free one",
        default="127.0.0.1:8080",
        unit="host:port",
    )
    reuse_port: bool = setting(
        "share the listen port with other gateway processes on this machine",
        default=False,
        unit="0 or 1",
    )
    public_url: Origin = setting("origin that browsers use", unit="URL")
    allowed_origins: Origins = setting(
        "more origins whose pages may open live sockets and use the session's cookie",
        default=(),
        unit="URL list",
    )
    max_sockets: int = setting(
        "live sockets this process holds at most; more are sent elsewhere", default=20_000, unit="1"
    )
    web_root: Path | None = setting(
        "folder with the built web client; without it only the interfaces are served",
        default=None,
        unit="folder",
    )
    simulator_url: OptionalUrl = setting(
        "the simulator process behind /simulator/; empty where Envoy or nobody forwards it",
        default="",
        unit="URL",
    )
    conversation_address: Addresses = setting("conversation's replicas", unit="host:port list")
    messaging_address: Addresses = setting("messaging's replicas", unit="host:port list")
    media_address: Addresses = setting("media's replicas", unit="host:port list")
    assistant_address: Addresses = setting("assistant's replicas", unit="host:port list")
    realtime_address: Addresses = setting("realtime's replicas", unit="host:port list")

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose pages are ours."""
        return frozenset({*same_machine(self.public_url), *self.allowed_origins})

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https, so that cookies may be kept to it."""
        return self.public_url.startswith("https://")

    def addresses(self, domain: str) -> tuple[str, ...]:
        """A service's replicas."""
        addresses: tuple[str, ...] = getattr(self, f"{domain}_address")
        return addresses


def same_machine(origin: str) -> tuple[str, ...]:
    """The origin, and for a loopback name the other loopback names with the same port."""
    parts = urlsplit(origin)
    names = {host.strip("[]"): host for host in LOOPBACK_HOSTS}
    if parts.hostname not in names:
        return (origin,)
    port = "" if parts.port is None else f":{parts.port}"
    return tuple(f"{parts.scheme}://{host}{port}" for host in names.values())
