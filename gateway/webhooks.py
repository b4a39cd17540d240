"""Platforms' webhook calls: handed to messaging exactly as they came, 200 once they are stored.

Whatever is not the platform's fault is answered 5xx, so it calls again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import grpc
from aiohttp import web

from chassis.logs import log
from gateway.bodies import read_raw_body
from gateway.errors import EdgeError, of_rpc, temporarily_unavailable, too_large
from inbox.messaging import v1 as messaging_v1

if TYPE_CHECKING:
    from gateway.upstream import Upstream

MAX_BODY_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 16 * 1024
CALL_SECONDS = 3.0
KIND_PREFIX = "CHANNEL_KIND_"
KINDS = {
    name.removeprefix(KIND_PREFIX).lower(): number
    for name, number in messaging_v1.ChannelKind.items()
    if number
}
"""The word in the path → the kind."""
PLATFORM_HEADER = re.compile(r"content-type|user-agent|retry-after|x-.+")
OUR_HEADER = re.compile(
    r"x-(forwarded|envoy|real-ip|request-id|client|inbox-client|inbox-workspace).*"
)
"""Set by proxies or by us: they say nothing about the platform."""
SIGNATURE_REFUSED = "WEBHOOK_SIGNATURE_INVALID"
PLATFORMS_FAULT = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)


class Webhooks:
    """Serves `/webhooks/<channel kind>/<channel id>`."""

    def __init__(self, upstream: Upstream) -> None:
        self._channels = messaging_v1.ChannelServiceStub(upstream.own("messaging"))

    async def handle(self, request: web.Request) -> web.Response:
        """GET (a challenge) or POST (news)."""
        kind = KINDS.get(request.match_info["kind"].replace("-", "_"))
        if kind is None:
            raise _no_channel()
        try:
            channel_id = str(UUID(request.match_info["channel_id"]))
        except ValueError:
            raise _no_channel() from None
        asked = messaging_v1.IngestWebhookRequest(
            channel_kind=kind,
            channel_id=channel_id,
            body=await read_raw_body(request, MAX_BODY_BYTES),
            headers=_headers(request),
            query=dict(request.query),
            method=request.method,
        )
        try:
            answer = await self._channels.IngestWebhook(asked, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _for_platform(error) from error
        return web.Response(body=answer.body, content_type="text/plain", charset="utf-8")


def _headers(request: web.Request) -> dict[str, str]:
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if PLATFORM_HEADER.fullmatch(name.lower()) and not OUR_HEADER.fullmatch(name.lower())
    }
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADER_BYTES:
        raise too_large("the webhook's headers", MAX_HEADER_BYTES)
    return headers


def _no_channel() -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.NOT_FOUND,
        reason="CHANNEL_NOT_FOUND",
        message="there is no such channel; its page in Inbox shows the address to call",
    )


def _for_platform(error: grpc.aio.AioRpcError) -> EdgeError:
    refused = of_rpc(error, "messaging")
    if refused.reason == SIGNATURE_REFUSED or refused.code in PLATFORMS_FAULT:
        return refused
    if refused.code is not grpc.StatusCode.UNAVAILABLE:
        # Our own credential or code at fault: the platform must call again, we must look.
        log.error("webhook_not_stored", code=refused.code.name, reason=refused.reason)
    return temporarily_unavailable("messaging")
