"""What is wrong with NATS, as its users see it."""

from __future__ import annotations

from dataclasses import dataclass

from nats.aio.client import Client

from chassis.errors import TemporarilyUnavailable

SERVER_FLOOR = (2, 12)
"""Atomic batches came with 2.12; older servers ignore them without a word."""


@dataclass(eq=False)
class BusUnavailable(TemporarilyUnavailable):
    """NATS is away, or did not answer in time."""

    detail: str = ""
    part: str = "the event bus"


class WrongServer(Exception):
    """The NATS server cannot carry the log."""


def check_version(client: Client) -> None:
    """Refuse a server that is too old. Raises: WrongServer."""
    version = client.connected_server_version
    if (version.major, version.minor) < SERVER_FLOOR:
        floor = ".".join(map(str, SERVER_FLOOR))
        raise WrongServer(f"nats-server {version} is too old: {floor} or newer is needed")
