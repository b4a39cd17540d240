"""Errors as values, where many results travel in one message."""

from __future__ import annotations

import grpc

from chassis.errors import Fault
from chassis.rpc.faults import code_of
from inbox.error import v1 as error_v1

INTERNAL_MESSAGE = "a fault of ours; it is logged"


def error_to_proto(fault: BaseException) -> error_v1.Error:
    """A fault as the contract has it; whatever is none of ours to tell becomes INTERNAL."""
    if not isinstance(fault, Fault):
        return error_v1.Error(
            code=grpc.StatusCode.INTERNAL.value[0],
            reason=error_v1.REASON_INTERNAL,
            message=INTERNAL_MESSAGE,
        )
    return error_v1.Error(
        code=code_of(fault).value[0],
        reason=error_v1.Reason.Value(f"REASON_{fault.reason}"),
        message=str(fault),
        metadata=fault.metadata(),
    )
