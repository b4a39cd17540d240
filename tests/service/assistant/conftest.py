"""The AI on a real database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.auth import Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from inbox.assistant import v1
from services.assistant.service.assistant import AssistantService
from services.assistant.service.knowledge import KnowledgeService
from tests.fakes import FakeClock
from tests.service.assistant.desk import Desk
from tests.service.assistant.owner import Owner
from tests.serving import Serving, serving


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def desk(app: Database, worker: Database, clock: FakeClock) -> AsyncIterator[Desk]:
    """A workspace nobody else in the module's database uses."""
    desk = Desk(app, worker, clock, WorkspaceId(new_id()))
    yield desk
    # Workers lease across workspaces: what is still due must not reach the next test.
    await desk.leave_nothing_due()


@pytest.fixture
async def server(desk: Desk) -> AsyncIterator[Serving]:
    async with serving(
        (v1.add_KnowledgeServiceServicer_to_server, KnowledgeService(desk.app)),
        (
            v1.add_AssistantServiceServicer_to_server,
            AssistantService(desk.app, desk.worker.database),
        ),
    ) as server:
        yield server


@pytest.fixture
def owner(desk: Desk, server: Serving) -> Owner:
    channel = server.channel(Role.OWNER, desk.workspace_id)
    return Owner(v1.KnowledgeServiceStub(channel), v1.AssistantServiceStub(channel))


@pytest.fixture
def suite(desk: Desk, server: Serving) -> v1.AssistantServiceStub:
    """Another service."""
    return v1.AssistantServiceStub(server.channel(Role.SERVICE, desk.workspace_id))
