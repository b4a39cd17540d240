"""Errors as HTTP: the JSON body of the Connect protocol, for every route of the gateway.

    {"code": "not_found", "message": "…", "details": [{"type": "google.rpc.ErrorInfo", …}]}

Services' errors pass through with their details. An error made here carries an ErrorInfo with a
reason of inbox.error.v1, like theirs, so a client has one way to read errors.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import orjson
from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.any_pb2 import Any as AnyMessage

DOMAIN = "inbox"
DETAILS_KEY = "grpc-status-details-bin"
RETRY_AFTER = "retry-after"
TYPE_URL_PREFIX = "type.googleapis.com/"

HTTP_STATUS: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
"""The Connect protocol's table."""

AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""Codes that gRPC itself gives, without details, when a service does not answer."""

CODE_OF_NUMBER: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


@dataclass
class EdgeError(Exception):
    """What a client is told instead of an answer."""

    code: grpc.StatusCode
    reason: str
    """A name of inbox.error.v1.Reason without its prefix; empty if the service gave none."""
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    details: tuple[AnyMessage, ...] = ()
    """The service's details as they came; an ErrorInfo is made of reason and metadata if none."""
    http_status: int = 0
    """0 takes it from the code."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code.name} {self.reason}: {self.message}"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.http_status or HTTP_STATUS[self.code]

    def body(self) -> bytes:
        """The Connect protocol's JSON."""
        shown: dict[str, Any] = {"code": connect_name(self.code)}
        if self.message:
            shown["message"] = self.message
        details = [_detail(packed) for packed in self.details] or self._own_details()
        if details:
            shown["details"] = details
        return orjson.dumps(shown)

    def response(self) -> web.Response:
        """The whole HTTP answer."""
        return web.Response(
            status=self.status,
            body=self.body(),
            content_type="application/json",
            headers={"cache-control": "no-store", **self.headers},
        )

    def _own_details(self) -> list[dict[str, Any]]:
        if not self.reason:
            return []
        info = error_details_pb2.ErrorInfo(
            reason=self.reason, domain=DOMAIN, metadata=dict(self.metadata)
        )
        return [_shown_detail(info.DESCRIPTOR.full_name, info.SerializeToString(), info)]


def connect_name(code: grpc.StatusCode) -> str:
    """The Connect protocol's word for a code; it spells one of them in the American way."""
    return "canceled" if code is grpc.StatusCode.CANCELLED else code.name.lower()


def of_rpc(error: grpc.aio.AioRpcError, service: str) -> EdgeError:
    """What a service, or the way to it, answered."""
    packed = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    details: tuple[AnyMessage, ...] = ()
    if isinstance(packed, bytes):
        details = tuple(status_pb2.Status.FromString(packed).details)
    if not details and error.code() in AWAY:
        # gRPC's own text names internal addresses.
        return temporarily_unavailable(service, error.code())
    reason, metadata = _error_info(details)
    return EdgeError(
        code=error.code(),
        reason=reason,
        message=error.details() or "",
        metadata=metadata,
        details=details,
        headers=_retry_header(details),
    )


def temporarily_unavailable(
    part: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
) -> EdgeError:
    """A part behind the gateway does not answer."""
    return EdgeError(
        code=code,
        reason="TEMPORARILY_UNAVAILABLE",
        message=f"{part} does not answer for the moment; repeat the same request",
        metadata={"part": part},
    )


def invalid(field_name: str, rule: str) -> EdgeError:
    """The request itself is wrong; repeating it cannot help."""
    return EdgeError(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_ARGUMENT",
        message=f"{field_name}: {rule}",
        metadata={"field": field_name, "rule": rule},
    )


def too_large(what: str, max_bytes: int) -> EdgeError:
    """More bytes than allowed."""
    return EdgeError(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="TOO_LARGE",
        message=f"{what} is larger than {max_bytes} bytes",
        metadata={"max_bytes": str(max_bytes)},
        http_status=413,
    )


def _error_info(details: tuple[AnyMessage, ...]) -> tuple[str, dict[str, str]]:
    for packed in details:
        info = error_details_pb2.ErrorInfo()
        if packed.Is(info.DESCRIPTOR) and packed.Unpack(info):
            return info.reason, dict(info.metadata)
    return "", {}


def _retry_header(details: tuple[AnyMessage, ...]) -> dict[str, str]:
    for packed in details:
        retry = error_details_pb2.RetryInfo()
        if packed.Is(retry.DESCRIPTOR) and packed.Unpack(retry):
            return {RETRY_AFTER: str(math.ceil(retry.retry_delay.ToTimedelta().total_seconds()))}
    return {}


def _detail(packed: AnyMessage) -> dict[str, Any]:
    info = error_details_pb2.ErrorInfo()
    known = info if packed.Is(info.DESCRIPTOR) and packed.Unpack(info) else None
    return _shown_detail(packed.type_url.removeprefix(TYPE_URL_PREFIX), packed.value, known)


def _shown_detail(
    type_name: str, value: bytes, known: error_details_pb2.ErrorInfo | None
) -> dict[str, Any]:
    """`debug` is for people who read the answer in a terminal; programs read `value`."""
    shown = {"type": type_name, "value": base64.b64encode(value).decode().rstrip("=")}
    return shown if known is None else {**shown, "debug": MessageToDict(known)}
