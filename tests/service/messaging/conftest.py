"""Messaging on a real database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, test_servers
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk, open_desk


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "messaging") as urls:
        yield urls


@pytest.fixture
async def app(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.app)
    yield database
    await database.close()


@pytest.fixture
async def worker(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.worker)
    yield database
    await database.close()


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
