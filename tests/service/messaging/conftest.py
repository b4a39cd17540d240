"""Messaging on a real database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk, open_desk
from tests.service.messaging.platform_desk import PlatformDesk, running_platform_desk


@pytest.fixture
def workspace_id() -> WorkspaceId:
    """A workspace nobody else in the module's database uses."""
    return WorkspaceId(new_id())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def desk(
    app: Database, worker: Database, clock: FakeClock, workspace_id: WorkspaceId
) -> AsyncIterator[Desk]:
    async with open_desk(app, worker, clock, workspace_id) as desk:
        yield desk


@pytest.fixture
async def platform_desk(
    app: Database, worker: Database, workspace_id: WorkspaceId
) -> AsyncIterator[PlatformDesk]:
    """A desk on a platform; which channels and customers it has is each module's own `desk`."""
    async with running_platform_desk(app, worker, workspace_id) as running:
        yield running
