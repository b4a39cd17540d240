"""Where a request comes from, for limits that count tries per address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.settings import is_loopback

if TYPE_CHECKING:
    from aiohttp import web

HEADER = "x-inbox-client-address"
"""Metadata in which a process of the suite vouches for its client's address."""
FORWARDED_FOR = "x-forwarded-for"
MAX_CHARACTERS = 64


class ClientAddresses:
    """Believes a proxy of ours, and nobody else, about who is behind it."""

    def __init__(self, *, is_network_trusted: bool) -> None:
        """`is_network_trusted`: only our own proxies can reach this process."""
        self._is_network_trusted = is_network_trusted

    def of(self, request: web.Request) -> str:
        """The client's address; empty when it is gone already."""
        peer = request.remote or ""
        forwarded = request.headers.get(FORWARDED_FOR, "")
        if not forwarded or not (self._is_network_trusted or is_loopback(peer)):
            return peer
        # The nearest proxy appends the address it saw; what stands before it anybody may claim.
        return forwarded.rpartition(",")[2].strip()[:MAX_CHARACTERS]
