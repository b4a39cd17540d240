"""Which pages are ours: the Origin check before cookies are used and sockets are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from gateway.errors import EdgeError

if TYPE_CHECKING:
    from aiohttp import web

CLIENT_HEADER = "x-inbox-client"
OWN_FETCHES = frozenset({"same-origin", "none"})
"""What a browser says in sec-fetch-site when no foreign page is involved."""


class Origins:
    """The allow-list."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    def check_origin(self, request: web.Request) -> None:
        """Refuse other sites' pages; programs send no Origin. Raises: EdgeError."""
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in self._allowed:
            raise EdgeError(
                code=grpc.StatusCode.PERMISSION_DENIED,
                reason="ORIGIN_NOT_ALLOWED",
                message=f"pages of {origin[:200]} may not do this; open Inbox by its own address "
                "or add that origin to INBOX_ALLOWED_ORIGINS",
                metadata={"origin": origin[:200]},
            )

    def check_own_page(self, request: web.Request) -> None:
        """What a request must show before a cookie is set or used. Raises: EdgeError."""
        self.check_origin(request)
        fetched_by = request.headers.get("sec-fetch-site", "none")
        is_foreign = "origin" not in request.headers and fetched_by not in OWN_FETCHES
        # A foreign page cannot set this header without asking first, and is never allowed to.
        if is_foreign or CLIENT_HEADER not in request.headers:
            raise EdgeError(
                code=grpc.StatusCode.PERMISSION_DENIED,
                reason="ORIGIN_NOT_ALLOWED",
                message=f"send the header {CLIENT_HEADER} with everything that uses the session",
            )
