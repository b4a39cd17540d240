"""The Connect protocol, unary: a browser's POST becomes a gRPC call of the owning service.

Binary bodies pass untouched in both directions; JSON bodies are translated by the contracts'
descriptors. Streaming methods are for gRPC and for the live socket. The specification is public
(connectrpc.com/docs/protocol).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import grpc
from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from gateway.bodies import read_body
from gateway.errors import EdgeError, invalid, of_rpc, temporarily_unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.auth import Credentials
    from gateway.methods import Method
    from gateway.upstream import Metadata, Upstream

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Also the services' limit for one message."""
DEFAULT_SECONDS = 10.0
MAX_SECONDS = 60.0
MAX_JSON_DEPTH = 64

PROTO = "application/proto"
JSON = "application/json"
PROTOCOL_VERSION = "1"
TIMEOUT = re.compile(r"\d{1,10}")
PASSED_ON = ("x-request-id",)
"""Request headers that services read, besides the credential and the trace."""


class Connect:
    """Forwards calls by their path."""

    def __init__(
        self, methods: Mapping[str, Method], upstream: Upstream, credentials: Credentials
    ) -> None:
        self._methods = methods
        self._upstream = upstream
        self._credentials = credentials

    async def handle(self, request: web.Request) -> web.Response:
        """Serve `POST /<package.Service>/<Method>`."""
        method = self._methods.get(request.path)
        if method is None:
            raise _unknown_method(request.path)
        if request.method != "POST":
            return web.Response(status=405, headers={"allow": "POST"})
        if request.content_type not in {PROTO, JSON}:
            return web.Response(status=415, headers={"accept-post": f"{PROTO}, {JSON}"})
        if method.is_streaming:
            raise _is_a_stream(method)
        _check_version(request)
        timeout = _timeout(request)
        is_json = request.content_type == JSON
        body = await read_body(request, MAX_BODY_BYTES)
        if is_json:
            body = _to_proto(body, method)
        passed_on = [(name, value) for name in PASSED_ON if (value := request.headers.get(name))]

        async def forward(credential: Metadata) -> bytes:
            metadata = [*passed_on, *credential]
            return await self._upstream.call(method, body, timeout=timeout, metadata=metadata)

        try:
            answer = await self._credentials.call(
                request, forward, is_needed=not method.is_anonymous
            )
        except grpc.aio.AioRpcError as error:
            raise of_rpc(error, method.domain) from error
        if is_json:
            answer = _to_json(answer, method)
        return web.Response(
            body=answer,
            content_type=JSON if is_json else PROTO,
            headers={"cache-control": "no-store"},
        )


def _check_version(request: web.Request) -> None:
    version = request.headers.get("connect-protocol-version", PROTOCOL_VERSION)
    if version != PROTOCOL_VERSION:
        raise invalid("connect-protocol-version", f"must be {PROTOCOL_VERSION}")


def _timeout(request: web.Request) -> float:
    text = request.headers.get("connect-timeout-ms")
    if text is None:
        return DEFAULT_SECONDS
    if not TIMEOUT.fullmatch(text):
        raise invalid("connect-timeout-ms", "must be 1 to 10 digits")
    if not int(text):
        raise temporarily_unavailable("the service", grpc.StatusCode.DEADLINE_EXCEEDED)
    return min(int(text) / 1000, MAX_SECONDS)


def _to_proto(body: bytes, method: Method) -> bytes:
    message = method.request()
    try:
        json_format.Parse(body or b"{}", message, max_recursion_depth=MAX_JSON_DEPTH)
        return message.SerializeToString()
    except (json_format.ParseError, ValueError, RecursionError) as error:
        # Its text quotes the caller's own body back to the caller, and is logged nowhere.
        name = method.request.DESCRIPTOR.full_name
        raise invalid("body", f"is not the JSON of a {name}: {error}") from None


def _to_json(answer: bytes, method: Method) -> bytes:
    message = method.response()
    try:
        message.ParseFromString(answer)
    except DecodeError:
        raise EdgeError(
            code=grpc.StatusCode.INTERNAL,
            reason="INTERNAL",
            message=f"the answer of {method.path} cannot be read; the versions differ",
        ) from None
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def _unknown_method(path: str) -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.UNIMPLEMENTED,
        reason="METHOD_NOT_FOUND",
        message=f"there is no method {path[1:]}",
        http_status=404,
    )


def _is_a_stream(method: Method) -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.UNIMPLEMENTED,
        reason="METHOD_NOT_FOUND",
        message=f"{method.path[1:]} is a stream: call it by gRPC, or use the live socket",
    )
