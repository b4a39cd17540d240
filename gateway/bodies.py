"""Request bodies, read with a bound."""

from __future__ import annotations

import grpc
from aiohttp import web

from gateway.errors import EdgeError, invalid, too_large

ENCODINGS = frozenset({"", "identity", "gzip"})


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """The request's body, unpacked, at most so many bytes. Raises: EdgeError."""
    encoding = request.headers.get("content-encoding", "").lower()
    if encoding not in ENCODINGS:
        raise EdgeError(
            code=grpc.StatusCode.UNIMPLEMENTED,
            reason="INVALID_ARGUMENT",
            message=f"content-encoding {encoding} is not known; use gzip or identity",
            metadata={"field": "content-encoding"},
        )
    return await _read(request, max_bytes)


async def read_raw_body(request: web.Request, max_bytes: int) -> bytes:
    """The bytes exactly as they came, for a signature over them. Raises: EdgeError."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise invalid("content-encoding", "must be identity: the signature is over the raw body")
    return await _read(request, max_bytes)


async def _read(request: web.Request, max_bytes: int) -> bytes:
    size = request.content_length
    if size is not None and size > max_bytes:
        raise too_large("the request's body", max_bytes)
    body = bytearray()
    try:
        # aiohttp unpacks gzip in bounded pieces, so a bomb stops at the limit too.
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > max_bytes:
                raise too_large("the request's body", max_bytes)
    except web.RequestPayloadError:
        raise invalid("body", "ended early, or is not what content-encoding says") from None
    return bytes(body)
