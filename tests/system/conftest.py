"""One running suite for all system tests that break nothing, and services in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from suite.databases import DatabaseUrls
from suite.testing import TestServers, test_servers
from tests.running_inbox import PEOPLE, RunningInbox, running_inbox
from tests.system.services import Services, fresh_databases, running_services


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    """`./dev up` with its demo workspace, in a folder whose parent only its owner may enter.

    PostgreSQL, which root runs as another user, must not mind that parent. People answer in it:
    the tests play them, and no AI comes in between.
    """
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    with running_inbox(closed / "data") as suite:
        suite.is_answered_by(PEOPLE)
        yield suite


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with fresh_databases(servers) as urls:
        yield urls


@pytest.fixture
async def services(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> AsyncIterator[Services]:
    """Every service in this process, on databases that no other test has."""
    async with running_services(urls, servers, tmp_path) as running:
        yield running
