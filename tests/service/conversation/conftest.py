"""The shared inbox on a real database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation.actions.means import Means
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, test_servers
from tests.service.conversation.desk import Desk


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "conversation") as urls:
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
def desk(app: Database, worker: Database) -> Desk:
    """A workspace nobody else in the module's database uses."""
    wakes: list[None] = []
    means = Means(app, SystemClock(), lambda: wakes.append(None))
    return Desk(means, worker, WorkspaceId(new_id()), wakes)
