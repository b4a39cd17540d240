"""Forwards /simulator/ to the simulator process, where no Envoy stands in front.

For trying things out on one machine: plain streaming of requests, answers, event streams and
WebSockets, without the care a real proxy takes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from gateway.errors import temporarily_unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/simulator"
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
PRIVATE = frozenset({"authorization", "cookie"})
"""What is ours is none of the simulator's business."""


class Simulator:
    """Forwards to one base URL."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._client: aiohttp.ClientSession | None = None

    async def lifetime(self, _: web.Application) -> None:
        """Close the client with the application."""
        if self._client is not None:
            await self._client.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Forward one request, whatever it is."""
        if self._client is None:
            self._client = aiohttp.ClientSession(
                auto_decompress=True, timeout=aiohttp.ClientTimeout(total=None, sock_connect=3)
            )
        url = self._base_url + request.path_qs
        try:
            if request.headers.get("upgrade", "").lower() == "websocket":
                return await self._socket(self._client, request, url)
            return await self._plain(self._client, request, url)
        except aiohttp.ClientError:
            raise temporarily_unavailable("the simulator") from None

    async def _plain(
        self, client: aiohttp.ClientSession, request: web.Request, url: str
    ) -> web.StreamResponse:
        async with client.request(
            request.method,
            url,
            headers=_passed(request.headers),
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed(answer.headers))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    async def _socket(
        self, client: aiohttp.ClientSession, request: web.Request, url: str
    ) -> web.StreamResponse:
        async with client.ws_connect(url) as far:
            near = web.WebSocketResponse(compress=False)
            await near.prepare(request)
            async with asyncio.TaskGroup() as both:
                inward = both.create_task(_pump(near, far))
                outward = both.create_task(_pump(far, near))
                await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
                inward.cancel()
                outward.cancel()
            await near.close()
            return near


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in HOP_BY_HOP and name.lower() not in PRIVATE
    }
