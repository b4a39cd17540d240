"""What a call that failed says: the fact, its values, and when to come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(eq=False)
class InboxError(Exception):
    """A call that failed for good: it was refused, or its tries are used up."""

    code: grpc.StatusCode
    reason: str
    """A name of `inbox.error.v1.Reason` without its prefix; empty when Inbox itself was not
    reached."""
    message: str
    """One sentence that says the way out."""
    metadata: dict[str, str] = field(default_factory=dict)
    """The values that belong to the reason."""
    retry_after: timedelta | None = None
    request: Message | None = field(default=None, repr=False)
    """The request as it went out, with its id: sent again it is the same request, not a second."""

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"


def error_of(error: grpc.RpcError, request: Message | None = None) -> InboxError:
    """Read what gRPC raised, from either kind of channel."""
    call = cast("grpc.Call", error)
    reason, metadata, pause = "", {}, None
    for detail in _details(call):
        info, retry = ErrorInfo(), RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(retry):
            pause = retry.retry_delay.ToTimedelta()
    return InboxError(call.code(), reason, call.details() or "", metadata, pause, request)


def _details(call: grpc.Call) -> Status.details:
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value).details
            except DecodeError:  # a proxy's own words
                break
    return Status().details
