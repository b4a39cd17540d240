"""Counters stay exact whatever happens at once: reorder, repeats, tabs, marks (I12, F49)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.clock import SystemClock
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from services.conversation.actions.means import Means
from services.conversation.mapping import counter_to
from services.conversation.model.conversation import Conversation
from services.conversation.store import conversations, counters
from suite.databases import DatabaseUrls
from suite.testing import fresh_database, test_servers
from tests.service.conversation.desk import Desk, a_customer
from tests.service.conversation.members import KnownMembers
from tests.service.conversation.storms import Storm, rows_by_tag_are_wrong, told_counters

pytestmark = pytest.mark.timeout(3600)

IS_FULL = os.environ.get("INBOX_TEST_FULL") == "1"
STORMS = 100 if IS_FULL else 4
OPERATIONS = 1000 if IS_FULL else 120
"""Of each storm; 100,000 in full."""


@pytest.fixture(scope="module")
def urls() -> Iterator[DatabaseUrls]:
    with test_servers() as servers, fresh_database(servers, "conversation") as urls:
        yield urls


@pytest.fixture
async def means(urls: DatabaseUrls) -> AsyncIterator[Means]:
    app = Database(urls.app)
    yield Means(app, SystemClock(), lambda: None, KnownMembers())
    await app.close()


@pytest.fixture
async def worker(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.worker)
    yield database
    await database.close()


@settings(
    max_examples=STORMS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), tabs=st.integers(1, 6))
async def test_counters_do_not_drift_whatever_happens_at_once(
    means: Means, worker: Database, seed: int, tabs: int
) -> None:
    desk = Desk(means, worker, WorkspaceId(new_id()), [])

    await Storm(desk, seed, OPERATIONS, tabs).rage()

    assert await desk.drift() == 0
    assert await rows_by_tag_are_wrong(desk) == 0
    async with worker.begin(desk.workspace_id) as transaction:
        kept = [counter_to(counter) for counter in await counters.every(transaction)]
    assert await told_counters(desk) == {
        (counter.folder, counter.channel_id, counter.tag_id): (
            counter.conversation_count,
            counter.unread_count,
            counter.waiting_count,
        )
        for counter in kept
    }


async def test_without_the_conversations_lock_they_would_drift(
    means: Means, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: two who both read a conversation before either writes it."""
    desk, ana, both_have_read = Desk(means, worker, WorkspaceId(new_id()), []), a_customer(), 2
    await desk.apply(ana.opens())
    barrier = asyncio.Barrier(both_have_read)

    async def only_read(transaction: Transaction, conversation_id: str) -> Conversation:
        conversation = await conversations.get(transaction, conversation_id)
        await barrier.wait()
        return conversation

    monkeypatch.setattr(conversations, "lock", only_read)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for _ in range(both_have_read):
            group.create_task(desk.solve(ana.conversation_id))

    assert await desk.drift() > 0
