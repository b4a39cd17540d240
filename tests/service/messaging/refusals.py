"""What a refused call says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from chassis.rpc import remote_fault


@asynccontextmanager
async def refused(reason: str, code: grpc.StatusCode | None = None) -> AsyncIterator[None]:
    """The call in the block is refused for that reason, and never by a fault of ours."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    fault = remote_fault(caught.value)
    assert fault.reason == reason, f"{fault.reason}: {fault.message}"
    if code is not None:
        assert fault.code is code
