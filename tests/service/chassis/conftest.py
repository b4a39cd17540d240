"""A database with the tables of a publishing and consuming service, and a NATS of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis import logs
from chassis.database import Database
from chassis.migrations import migrate
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, fresh_nats_url, test_servers

FOLDER = Path(__file__).parent / "migrations"
SERVICE = "messaging"
"""Whose roles are borrowed."""


def migrate_here(owner_url: str) -> None:
    asyncio.run(migrate(owner_url, SERVICE, FOLDER))


def leave_empty(owner_url: str) -> None:
    """No tables."""


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """As in production: the library's own default draws pictures of every frame, for seconds."""
    logs.configure("test")


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def empty_database(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, SERVICE, leave_empty) as urls:
        yield urls


@pytest.fixture
def urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, SERVICE, migrate_here) as urls:
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
def nats_url(servers: TestServers) -> str:
    return fresh_nats_url(servers)
