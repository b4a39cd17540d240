"""The client at the front door of a running suite, and a customer at the chat box."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inbox_client import AsyncInbox
from tests.running_inbox import RunningInbox
from tests.system.sockets.conftest import customer, edge, key

__all__ = ["customer", "edge", "key"]


@pytest.fixture
def address(suite: RunningInbox) -> str:
    return suite.grpc_target


@pytest.fixture
async def inbox(address: str, key: str) -> AsyncIterator[AsyncInbox]:
    async with AsyncInbox(address, key) as inbox:
        yield inbox
