"""The databases of the publishing services, and a NATS of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from chassis import logs
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, fresh_nats_url, test_servers
from tests.service.realtime.stage import DOMAINS, Replica, Stage, a_stage


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    logs.configure("test", "error")


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with ExitStack() as stack:
        yield {domain: stack.enter_context(fresh_database(servers, domain)) for domain in DOMAINS}


@pytest.fixture
def nats_url(servers: TestServers) -> str:
    return fresh_nats_url(servers)


@pytest.fixture
async def stage(urls: dict[str, DatabaseUrls], nats_url: str) -> AsyncIterator[Stage]:
    async with a_stage(urls, nats_url) as stage:
        yield stage


@pytest.fixture
async def replica(stage: Stage, nats_url: str) -> AsyncIterator[Replica]:
    async with stage.replica(nats_url) as replica:
        yield replica
