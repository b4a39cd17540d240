"""Real messaging, and doubles of the live stream, at the far end of a line that can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.auth import Role
from inbox_client import Retries
from tests.cuttable_line import Line, a_line
from tests.service.gateway.suite_double import Services, running_services
from tests.service.messaging.conftest import clock, desk, workspace_id
from tests.service.messaging.desk import Desk

__all__ = ["clock", "desk", "workspace_id"]

QUICK = Retries(
    tries=10, first_pause=timedelta(milliseconds=10), longest_pause=timedelta(milliseconds=100)
)


@pytest.fixture(scope="module")
def service() -> str:
    return "messaging"


@pytest.fixture
async def line(desk: Desk) -> AsyncIterator[Line]:
    async with a_line(desk.server.address) as line:
        yield line


@pytest.fixture
def key(desk: Desk) -> str:
    """María's; a token, because nobody exchanges keys here."""
    return desk.server.tokens.token(Role.AGENT, desk.workspace_id, id="maria", display_name="María")


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    async for running in running_services():
        yield running


@pytest.fixture
async def live_line(services: Services) -> AsyncIterator[Line]:
    async with a_line(services.address) as line:
        yield line
