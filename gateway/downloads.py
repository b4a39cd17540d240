"""Files by their links: `/media/<link>`, with ranges, so that players seek and downloads resume.

The link is the credential, so the gateway asks for the bytes as itself, in the workspace that the
link names. Whatever a file holds, nothing in it is executed: its type follows its bytes, what
could act is saved instead of shown, and what is shown stands in a sandbox.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc
from aiohttp import web

from chassis.ids import WorkspaceId
from chassis.logs import log
from chassis.rpc.channel import in_workspace
from gateway.errors import EdgeError, of_rpc
from gateway.ranges import Outcome, wanted
from inbox.media import v1 as media_v1

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chassis.clock import Clock
    from gateway.upstream import Upstream

CALL_SECONDS = 10.0
WINDOW_BYTES = 16 * 1024 * 1024
"""Asked for at once, so that a reader's pauses hold no call open for as long as the file is."""
WINDOW_SECONDS = 900.0
STALLED_SECONDS = 60.0
"""A reader that takes nothing for so long is gone; it may come back with a range."""
GONE = 410
LINK = re.compile(r"[A-Za-z0-9_-]{1,128}")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,-]")
SAFE_HEADERS = {
    "accept-ranges": "bytes",
    "content-security-policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Downloads:
    """Serves `/media/<link>`."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._media = media_v1.MediaServiceStub(upstream.own("media"))
        self._clock = clock

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET or HEAD."""
        link = request.match_info["link"]
        if not LINK.fullmatch(link):
            raise _no_link()
        found = await self._resolve(link)
        etag = f'"{found.media.sha256}"'
        size_bytes = found.media.size_bytes
        asked = wanted(
            request.headers, is_get=request.method == "GET", etag=etag, size_bytes=size_bytes
        )
        response = web.StreamResponse(
            status=asked.outcome, headers={**SAFE_HEADERS, "etag": etag, **self._caching(found)}
        )
        if asked.outcome in {Outcome.UNCHANGED, Outcome.CHANGED, Outcome.OUTSIDE}:
            if asked.outcome is Outcome.OUTSIDE:
                response.headers["content-range"] = f"bytes */{size_bytes}"
            if asked.outcome is not Outcome.UNCHANGED:
                response.content_length = 0
                response.headers["cache-control"] = "no-store"
            await response.prepare(request)
            return response
        response.headers["content-type"] = found.media.sniffed_type
        response.headers["content-disposition"] = disposition(
            found.media.file_name, is_inline=found.is_inline
        )
        response.content_length = len(asked.span)
        if asked.outcome is Outcome.PART:
            span = asked.span
            response.headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{size_bytes}"
        if request.method == "HEAD" or not asked.span:
            await response.prepare(request)
            return response
        async with aclosing(self._read(found, asked.span)) as parts:
            await _send(request, response, parts)
        return response

    async def _resolve(self, link: str) -> media_v1.ResolveLinkResponse:
        try:
            return await self._media.ResolveLink(
                media_v1.ResolveLinkRequest(link=link), timeout=CALL_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            refused = of_rpc(error, "media")
            if refused.reason == "MEDIA_LINK_EXPIRED":
                refused.http_status = GONE
            raise refused from error

    def _caching(self, found: media_v1.ResolveLinkResponse) -> dict[str, str]:
        """Kept by the reader alone, for as long as the link that was shown is good."""
        left = found.expire_time.seconds - int(self._clock.now().timestamp())
        return {"cache-control": f"private, max-age={max(left, 0)}, immutable"}

    async def _read(
        self, found: media_v1.ResolveLinkResponse, span: range
    ) -> AsyncGenerator[bytes]:
        """The bytes, a window at a time. Raises: AioRpcError."""
        workspace = in_workspace(WorkspaceId(found.workspace_id))
        for start in range(span.start, span.stop, WINDOW_BYTES):
            call = self._media.Download(
                media_v1.DownloadRequest(
                    media_id=found.media.id,
                    offset_bytes=start,
                    limit_bytes=min(WINDOW_BYTES, span.stop - start),
                ),
                timeout=WINDOW_SECONDS,
                metadata=workspace,
            )
            try:
                async for answer in call:
                    if answer.chunk:
                        yield answer.chunk
            finally:
                call.cancel()


async def _send(
    request: web.Request, response: web.StreamResponse, parts: AsyncGenerator[bytes]
) -> None:
    """Write the body; what breaks in the middle of it cuts the connection, so nobody is deceived.

    Raises: EdgeError, where nothing was sent yet.
    """
    try:
        async for part in parts:
            if not response.prepared:
                await response.prepare(request)
            async with asyncio.timeout(STALLED_SECONDS):
                await response.write(part)
    except grpc.aio.AioRpcError as error:
        if not response.prepared:
            raise of_rpc(error, "media") from error
        log.warning("download_cut", code=error.code().name)
        _cut(request)
    except (TimeoutError, ConnectionError):
        _cut(request)


def _no_link() -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.NOT_FOUND,
        reason="MEDIA_LINK_INVALID",
        message="there is no file behind this address; CreateLink makes one",
    )


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def disposition(file_name: str, *, is_inline: bool) -> str:
    """RFC 6266: the name for every program, and for those that read RFC 8187 as it is."""
    how = "inline" if is_inline else "attachment"
    plain = NOT_PLAIN.sub("_", file_name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
