"""The databases of the publishing services, and a NATS of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database
from tests.service.realtime.stage import DOMAINS, Replica, Stage, a_stage


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with ExitStack() as stack:
        yield {domain: stack.enter_context(fresh_database(servers, domain)) for domain in DOMAINS}


@pytest.fixture
async def stage(urls: dict[str, DatabaseUrls], nats_url: str) -> AsyncIterator[Stage]:
    async with a_stage(urls, nats_url) as stage:
        yield stage


@pytest.fixture
async def replica(stage: Stage, nats_url: str) -> AsyncIterator[Replica]:
    async with stage.replica(nats_url) as replica:
        yield replica
