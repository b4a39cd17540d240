"""Faults as gRPC statuses with google.rpc details, and back: the one place that knows both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chassis import errors

DOMAIN = "inbox"
DETAILS_KEY = "grpc-status-details-bin"
MAX_MESSAGE_CHARACTERS = 1000


class MethodNotFound(errors.Fault):
    """The service does not have this method."""

    reason = "METHOD_NOT_FOUND"

    def __str__(self) -> str:
        return "this service has no such method; reflection lists those it has"


CODES: tuple[tuple[type[errors.Fault], grpc.StatusCode], ...] = (
    (errors.InvalidArgument, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.Conflict, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Aborted, grpc.StatusCode.ABORTED),
    (errors.PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.ResourceExhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.OutOfRange, grpc.StatusCode.OUT_OF_RANGE),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (MethodNotFound, grpc.StatusCode.UNIMPLEMENTED),
)
AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
    }
)
"""Statuses of a neighbour that say nothing about our caller's request."""
AWAY_PAUSE = timedelta(milliseconds=500)


def code_of(fault: errors.Fault) -> grpc.StatusCode:
    """The status code of a fault's kind."""
    for kind, code in CODES:
        if isinstance(fault, kind):
            return code
    return grpc.StatusCode.INTERNAL


def status_of(fault: errors.Fault, request_id: str) -> tuple[grpc.StatusCode, str, Status]:
    """Code, sentence and the whole google.rpc.Status of a fault."""
    code = code_of(fault)
    if code is grpc.StatusCode.INTERNAL:
        return internal(request_id)
    sentence = str(fault)[:MAX_MESSAGE_CHARACTERS]
    metadata = fault.metadata()
    details = [_pack(ErrorInfo(reason=fault.reason, domain=DOMAIN, metadata=metadata))]
    if isinstance(fault, errors.FieldInvalid):
        violation = BadRequest.FieldViolation(field=fault.field, description=fault.rule)
        details.append(_pack(BadRequest(field_violations=[violation])))
    pause = retry_after(fault)
    if pause is not None:
        delay = Duration()
        delay.FromTimedelta(pause)
        details.append(_pack(RetryInfo(retry_delay=delay)))
    return code, sentence, Status(code=code.value[0], message=sentence, details=details)


def internal(request_id: str) -> tuple[grpc.StatusCode, str, Status]:
    """What callers see of a fault of ours: where to find it in the log, and no more."""
    code = grpc.StatusCode.INTERNAL
    sentence = f"a fault of ours; it is logged under request id {request_id}"
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"request_id": request_id})
    return code, sentence, Status(code=code.value[0], message=sentence, details=[_pack(info)])


def retry_after(fault: errors.Fault) -> timedelta | None:
    """When to come back, for faults that pass by themselves."""
    pause = getattr(fault, "retry_after_millis", None)
    if isinstance(pause, int):
        return timedelta(milliseconds=pause)
    return AWAY_PAUSE if isinstance(fault, errors.Unavailable) else None


def fault_in(error: BaseException) -> errors.Fault | None:
    """The fault behind an exception: itself, the first of a group, or a neighbour's absence."""
    if isinstance(error, errors.Fault):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = (fault_in(one) for one in error.exceptions)
        return next((fault for fault in found if fault is not None), None)
    if isinstance(error, grpc.aio.AioRpcError) and error.code() in AWAY:
        return errors.TemporarilyUnavailable(part="a neighbouring service")
    return None


@dataclass(frozen=True, slots=True)
class RemoteFault:
    """What a called service said went wrong."""

    code: grpc.StatusCode
    reason: str
    """A name of inbox.error.v1.Reason without its prefix; empty when it gave none."""
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after: timedelta | None = None


def remote_fault(error: grpc.aio.AioRpcError) -> RemoteFault:
    """Read the details of a failed call."""
    reason, metadata, pause = "", {}, None
    for key, value in error.trailing_metadata() or ():
        if key != DETAILS_KEY or not isinstance(value, bytes):
            continue
        for detail in Status.FromString(value).details:
            info, retry = ErrorInfo(), RetryInfo()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(retry):
                pause = retry.retry_delay.ToTimedelta()
    return RemoteFault(error.code(), reason, error.details() or "", metadata, pause)


def _pack(message: ErrorInfo | RetryInfo | BadRequest) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed
