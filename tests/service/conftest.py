"""What service tests stand on: the shared servers, and the database of the service they test.

A module has one database, one loop and one pool
per role, because opening a connection costs more than most tests do; each test makes a workspace
of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.database import Database
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, fresh_nats_url, test_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest) -> str:
    """Whose database a module gets: the service's that its folder is named for."""
    return request.path.parent.name


@pytest.fixture(scope="module")
def urls(servers: TestServers, service: str) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, service) as urls:
        yield urls


@pytest.fixture(scope="module")
async def app(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.app)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def worker(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.worker)
    yield database
    await database.close()


@pytest.fixture
def nats_url(servers: TestServers) -> str:
    return fresh_nats_url(servers)
