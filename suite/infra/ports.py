"""Loopback ports: which are free, and which this data folder used before."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST_PORT, LAST_PORT = 20_000, 32_000
"""Below the range Linux hands out for outgoing connections, so none of those can take it."""
ATTEMPTS = 200


class NoFreePort(Exception):
    """None of the tried ports could be bound."""

    def __str__(self) -> str:
        return f"found no free port between {FIRST_PORT} and {LAST_PORT} on {LOOPBACK}"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(avoid: frozenset[int] = frozenset()) -> int:
    """A port that is free now, chosen at random so that two suites starting together differ."""
    for _ in range(ATTEMPTS):
        port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311 - not a secret
        if port not in avoid and is_free(port):
            return port
    raise NoFreePort
