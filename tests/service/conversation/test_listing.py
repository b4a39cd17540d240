"""The inbox list: its order, its pages, its filters, and that each walks an index of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.store.listing import BEFORE_ALL, page_statement
from suite.databases import DatabaseUrls, connected
from suite.testing import TestServers, fresh_database
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer

BUSY = WorkspaceId("018f0000-0000-7000-8000-000000000001")
CHANNEL = "018f0000-0000-7000-8000-00000000ca01"
ROWS = 20_000
FILL_CONTACTS = """
INSERT INTO contacts
SELECT $1, md5('contact' || n)::uuid, 'Customer ' || n, now(), 1 FROM generate_series(1, $2::int) n
"""
FILL_IDENTITIES = """
INSERT INTO contact_identities
SELECT $1, $3, 'visitor-' || n, md5('contact' || n)::uuid, 'web_chat', 'Customer ' || n, 1, 'life'
FROM generate_series(1, $2::int) n
"""
FILL_CONVERSATIONS = """
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, preview_seq,
    preview_author_kind, preview_text, preview_create_time, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version)
SELECT $1, md5('conversation' || n)::uuid, md5('contact' || n)::uuid,
       CASE WHEN n % 5 = 0 THEN $3::uuid ELSE md5('channel' || n % 7)::uuid END, 'web_chat',
       CASE WHEN n % 4 = 0 THEN 'solved' ELSE 'open' END, 3, 'customer', 'hola ' || n,
       now() - n * interval '1 second', 3, CASE WHEN n % 10 = 5 THEN 1 ELSE 3 END, 0, 'manual', 1,
       'life', now() - interval '1 year', 1
FROM generate_series(1, $2::int) n
"""


async def listed(desk: Desk, page_size: int, **query: Any) -> list[Conversation]:
    """Every page of a query, one after the other."""
    shown: list[Conversation] = []
    page = await desk.page(page_size=page_size, **query)
    shown += page.conversations
    while page.next_place:
        assert len(page.conversations) == page_size
        page = await desk.page(page_size=page_size, after=page.next_place, **query)
        shown += page.conversations
    return shown


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 12, 13, 200])
async def test_pages_of_any_size_hold_every_conversation_once_newest_first(
    desk: Desk, page_size: int
) -> None:
    customers = [a_customer(str(number)) for number in range(12)]
    # Several at the very same time: their ids decide.
    times = [FIRST_DAY + timedelta(minutes=number // 3) for number in range(12)]
    await desk.apply(*[c.writes(at=at) for c, at in zip(customers, times, strict=True)])

    shown = await listed(desk, page_size)

    expected = sorted(zip(times, [c.conversation_id for c in customers], strict=True), reverse=True)
    assert [(c.last_activity_time, c.id) for c in shown] == expected


async def test_a_conversation_that_moves_up_while_paging_is_not_shown_twice(desk: Desk) -> None:
    customers = [a_customer(str(number)) for number in range(6)]
    for minute, customer in enumerate(customers):
        await desk.apply(customer.writes(at=FIRST_DAY + timedelta(minutes=minute)))

    first = await desk.page(page_size=3)
    await desk.apply(customers[-1].writes(at=FIRST_DAY + timedelta(hours=1)))
    second = await desk.page(page_size=3, after=first.next_place)

    assert {c.id for c in first.conversations}.isdisjoint(c.id for c in second.conversations)
    assert second.next_place is None


async def test_folder_channel_and_unread_combine(desk: Desk) -> None:
    channel_id = new_id()
    here, elsewhere = a_customer(channel_id=channel_id), a_customer()
    read, solved = a_customer(channel_id=channel_id), a_customer(channel_id=channel_id)
    for customer in (here, elsewhere, read, solved):
        await desk.apply(customer.writes())
    await desk.mark_read(read.conversation_id, 1)
    await desk.solve(solved.conversation_id)

    async def ids(folder: Folder = Folder.OPEN, **query: Any) -> set[str]:
        return {c.id for c in await listed(desk, 2, folder=folder, **query)}

    assert await ids() == {c.conversation_id for c in (here, elsewhere, read)}
    assert await ids(unread_only=True) == {c.conversation_id for c in (here, elsewhere)}
    assert await ids(channel_id=channel_id) == {c.conversation_id for c in (here, read)}
    assert await ids(channel_id=channel_id, unread_only=True) == {here.conversation_id}
    assert await ids(Folder.SOLVED) == {solved.conversation_id}
    assert await ids(Folder.SPAM) == set()


@pytest.fixture(scope="module")
def busy_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "conversation") as urls:
        yield urls


@pytest.fixture
async def busy(busy_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A workspace with many conversations, seen by the role that serves requests."""
    worker = Database(busy_urls.worker)
    async with worker.begin(BUSY) as transaction:
        if not await transaction.raw.fetchval("SELECT count(*) FROM conversations"):
            for statement in (FILL_CONTACTS, FILL_IDENTITIES, FILL_CONVERSATIONS):
                arguments = (BUSY, ROWS, CHANNEL) if "$3" in statement else (BUSY, ROWS)
                await transaction.raw.execute(statement, *arguments)
    await worker.close()
    async with connected(busy_urls.owner) as owner:
        await owner.execute("ANALYZE")
    database = Database(busy_urls.app)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("unread_only", "is_on_channel", "index"),
    [
        (False, False, "ix_conversations_inbox"),
        (True, False, "ix_conversations_inbox_unread"),
        (False, True, "ix_conversations_channel"),
        (True, True, "ix_conversations_channel_unread"),
    ],
)
@pytest.mark.parametrize("depth", [0, 2000])
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_each_list_walks_its_own_index_to_the_page_and_no_further(
    busy: Database, unread_only: bool, is_on_channel: bool, index: str, depth: int, plan: str
) -> None:
    statement = page_statement(unread_only=unread_only, is_on_channel=is_on_channel)
    channel = [CHANNEL] if is_on_channel else []
    async with busy.begin(BUSY) as transaction:
        place: Iterable[object] = (BEFORE_ALL.last_activity_time, BEFORE_ALL.conversation_id)
        if depth:
            [place] = await transaction.raw.fetch(
                "SELECT last_activity_time, id FROM conversations WHERE workspace_id = $1 "
                "ORDER BY last_activity_time DESC OFFSET $2 LIMIT 1",
                BUSY,
                depth,
            )
        rows = await transaction.raw.fetch(statement, BUSY, "open", *place, 51, *channel)
        await transaction.raw.execute(f"SET LOCAL plan_cache_mode = {plan}")
        explained = await transaction.raw.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {statement}",
            BUSY,
            "open",
            *place,
            51,
            *channel,
        )

    text = "\n".join(row[0] for row in explained)
    assert len(rows) == 51
    assert f"using {index} on conversations" in text
    assert "Seq Scan" not in text
    assert "Sort Key: conversations" not in text
    # What the walk touched and threw away: nothing.
    assert "Rows Removed by Filter" not in text


def test_no_list_counts_or_skips_rows() -> None:
    for unread_only in (False, True):
        for is_on_channel in (False, True):
            statement = page_statement(unread_only=unread_only, is_on_channel=is_on_channel)
            assert "count(" not in statement.lower()
            assert "offset" not in statement.lower()
