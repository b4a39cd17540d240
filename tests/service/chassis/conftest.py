"""A database with the tables of a publishing and consuming service, and a NATS of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.migrations import migrate
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database

FOLDER = Path(__file__).parent / "migrations"
SERVICE = "messaging"
"""Whose roles are borrowed."""


def migrate_here(owner_url: str) -> None:
    asyncio.run(migrate(owner_url, SERVICE, FOLDER))


def leave_empty(owner_url: str) -> None:
    """No tables."""


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
