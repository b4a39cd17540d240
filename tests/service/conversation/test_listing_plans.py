"""The inbox list's plans: each filter walks an index of its own, to the page and no further."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import asyncpg
import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId
from services.conversation.model.conversation import Folder
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind
from services.conversation.store.listing import BEFORE_ALL, LOOKED_AT, Filters, page_statement
from suite.databases import DatabaseUrls, connected
from suite.testing import TestServers, fresh_database

BUSY = WorkspaceId("018f0000-0000-7000-8000-000000000001")
CHANNEL = "018f0000-0000-7000-8000-00000000ca01"
VIP = "018f0000-0000-7000-8000-00000000a001"
NEVER_GIVEN = "018f0000-0000-7000-8000-00000000a002"
MEMBER = "018f0000-0000-7000-8000-00000000b001"
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
       CASE WHEN n % 5 = 0 THEN $3::uuid ELSE md5('channel' || n % 7)::uuid END,
       CASE WHEN n % 5 = 0 OR n % 3 = 0 THEN 'web_chat' ELSE 'whatsapp' END,
       CASE WHEN n % 4 = 0 THEN 'solved' ELSE 'open' END, 3, 'customer', 'hola ' || n,
       now() - n * interval '1 second', 3, CASE WHEN n % 10 = 5 THEN 1 ELSE 3 END, 0, 'manual', 1,
       'life', now() - interval '1 year', 1
FROM generate_series(1, $2::int) n
"""
# Half of all have the star, a seventh the other tag.
FILL_TAGS = """
UPDATE conversations SET tag_ids = given.tag_ids FROM (
    SELECT md5('conversation' || n)::uuid AS id, array_remove(ARRAY[
        CASE WHEN n % 2 = 1 THEN $3::uuid END, CASE WHEN n % 7 = 1 THEN $4::uuid END
    ], NULL) AS tag_ids
    FROM generate_series(1, $2::int) n
) AS given
WHERE workspace_id = $1 AND conversations.id = given.id
"""
FILL_CONVERSATION_TAGS = """
INSERT INTO conversation_tags
SELECT workspace_id, id, unnest(tag_ids), channel_id, channel_kind, folder, last_activity_time,
       inbound_count > read_ordinal
FROM conversations WHERE workspace_id = $1
"""
# A ninth is somebody's, one of fifty waits.
FILL_ASSIGNMENTS = """
UPDATE conversations SET assignee_id = given.assignee_id, waiting_since = given.waiting_since
FROM (
    SELECT md5('conversation' || n)::uuid AS id,
           CASE WHEN n % 9 = 1 THEN $3::uuid END AS assignee_id,
           CASE WHEN n % 50 = 5 OR n % 45 = 10 THEN now() END AS waiting_since
    FROM generate_series(1, $2::int) n
) AS given
WHERE workspace_id = $1 AND conversations.id = given.id
"""
FILL: list[tuple[str, tuple[object, ...]]] = [
    (FILL_CONTACTS, (ROWS,)),
    (FILL_IDENTITIES, (ROWS, CHANNEL)),
    (FILL_CONVERSATIONS, (ROWS, CHANNEL)),
    (FILL_TAGS, (ROWS, PRIORITY.id, VIP)),
    (FILL_CONVERSATION_TAGS, ()),
    (FILL_ASSIGNMENTS, (ROWS, MEMBER)),
]


@pytest.fixture(scope="module")
def busy_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "conversation") as urls:
        yield urls


@pytest.fixture(scope="module")
async def busy(busy_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A workspace with many conversations, seen by the role that serves requests."""
    worker = Database(busy_urls.worker)
    async with worker.begin(BUSY) as transaction:
        for statement, arguments in FILL:
            await transaction.raw.execute(statement, BUSY, *arguments)
    await worker.close()
    async with connected(busy_urls.owner) as owner:
        # Index-only walks need to know which pages nobody is writing to. Twice, because the first
        # one still finds, and guesses from, the rows that filling in the tags left behind.
        for _ in range(2):
            await owner.execute("VACUUM ANALYZE")
    database = Database(busy_urls.app)
    yield database
    await database.close()


ON_CHANNEL: dict[str, Any] = {"channel_id": CHANNEL}
OF_KIND: dict[str, Any] = {"channel_kind": ChannelKind.WEB_CHAT}
STARRED: dict[str, Any] = {"tag_ids": (PRIORITY.id,)}
UNREAD: dict[str, Any] = {"unread_only": True}
MINE: dict[str, Any] = {"assignee_id": MEMBER}
NOBODYS: dict[str, Any] = {"unassigned_only": True}
WAITING: dict[str, Any] = {"waiting_only": True}
CHANNEL_LEADS: dict[str, Any] = {"is_channel_rarer": True}
FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_conversations_inbox"),
    (UNREAD, "ix_conversations_inbox_unread"),
    (ON_CHANNEL, "ix_conversations_channel"),
    (ON_CHANNEL | UNREAD, "ix_conversations_channel_unread"),
    (OF_KIND, "ix_conversations_kind"),
    (OF_KIND | UNREAD, "ix_conversations_kind_unread"),
    (STARRED, "ix_conversation_tags_inbox"),
    (STARRED | UNREAD, "ix_conversation_tags_inbox_unread"),
    (MINE, "ix_conversations_assignee"),
    (MINE | UNREAD, "ix_conversations_assignee_unread"),
    (NOBODYS, "ix_conversations_unassigned"),
    (NOBODYS | UNREAD, "ix_conversations_unassigned_unread"),
    (WAITING, "ix_conversations_waiting"),
    (WAITING | UNREAD, "ix_conversations_waiting_unread"),
]
"""Filters that have an index of their own."""
COMBINED: list[tuple[dict[str, Any], str]] = [
    (STARRED | ON_CHANNEL, "ix_conversation_tags_inbox"),
    (STARRED | OF_KIND | UNREAD, "ix_conversation_tags_inbox_unread"),
    (ON_CHANNEL | OF_KIND, "ix_conversations_channel"),
    ({"tag_ids": (VIP, PRIORITY.id)}, "ix_conversation_tags_inbox"),
    ({"tag_ids": (VIP, PRIORITY.id)} | ON_CHANNEL | UNREAD, "ix_conversation_tags_inbox_unread"),
    (STARRED | NOBODYS, "ix_conversation_tags_inbox"),
    (STARRED | MINE, "ix_conversations_assignee"),
    (STARRED | WAITING, "ix_conversations_waiting"),
    (OF_KIND | WAITING, "ix_conversations_waiting"),
    (NOBODYS | WAITING, "ix_conversations_waiting"),
    (STARRED | ON_CHANNEL | CHANNEL_LEADS, "ix_conversations_channel"),
    ({"tag_ids": (VIP, PRIORITY.id)} | ON_CHANNEL | CHANNEL_LEADS, "ix_conversations_channel"),
    (STARRED | ON_CHANNEL | UNREAD | CHANNEL_LEADS, "ix_conversations_channel_unread"),
]
"""Those that walk the index of the narrowest filter and look at each row for the others."""


async def explained(
    busy: Database, filters: Filters, depth: int, plan: str
) -> tuple[list[asyncpg.Record], str]:
    """The rows of a page, and how PostgreSQL came by them."""
    statement, arguments = page_statement(filters)
    async with busy.begin(BUSY) as transaction:
        place: Iterable[object] = (BEFORE_ALL.last_activity_time, BEFORE_ALL.conversation_id)
        if depth:
            [place] = await transaction.raw.fetch(
                "SELECT last_activity_time, id FROM conversations WHERE workspace_id = $1 "
                "ORDER BY last_activity_time DESC OFFSET $2 LIMIT 1",
                BUSY,
                depth,
            )
        asked = (BUSY, "open", *place, 51, *arguments)
        rows = await transaction.raw.fetch(statement, *asked)
        await transaction.raw.execute(f"SET LOCAL plan_cache_mode = {plan}")
        lines = await transaction.raw.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {statement}",
            *asked,
        )
    return rows, "\n".join(line[0] for line in lines)


def most_rows(text: str) -> float:
    """The rows of the step that gave most: a sort of more than the page would show here."""
    return max(map(float, re.findall(r"actual rows=([\d.]+)", text)))


@pytest.mark.parametrize(("options", "index"), FILTERS, ids=[index for _, index in FILTERS])
@pytest.mark.parametrize("depth", [0, 2000])
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_each_filter_walks_its_own_index_to_the_page_and_no_further(
    busy: Database, options: dict[str, Any], index: str, depth: int, plan: str
) -> None:
    rows, text = await explained(busy, Filters(Folder.OPEN, **options), depth, plan)

    assert len(rows) == 51
    assert f"using {index} on" in text
    assert "Seq Scan" not in text
    assert most_rows(text) == 51
    # What the walk touched and threw away: nothing.
    assert "Rows Removed by Filter" not in text


@pytest.mark.parametrize(("options", "index"), COMBINED)
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_filters_that_combine_walk_the_index_of_one_and_look_at_each_row(
    busy: Database, options: dict[str, Any], index: str, plan: str
) -> None:
    rows, text = await explained(busy, Filters(Folder.OPEN, **options), 0, plan)

    assert len(rows) == 51
    assert f"using {index} on" in text
    assert "Seq Scan" not in text
    assert "Hash" not in text
    # A sort of all that may be looked at would show here.
    assert most_rows(text) < LOOKED_AT / 2


SPARSE: list[dict[str, Any]] = [
    STARRED | {"channel_kind": ChannelKind.TELEGRAM},
    {"tag_ids": (PRIORITY.id, NEVER_GIVEN)},
    NOBODYS | ON_CHANNEL | {"tag_ids": (NEVER_GIVEN,)} | CHANNEL_LEADS,
    MINE | {"channel_kind": ChannelKind.TELEGRAM},
]
"""Filters of which each lets many through and all of them nothing."""


@pytest.mark.parametrize("options", SPARSE)
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_a_walk_that_finds_nothing_ends_and_says_where(
    busy: Database, options: dict[str, Any], plan: str
) -> None:
    rows, text = await explained(busy, Filters(Folder.OPEN, **options), 0, plan)

    assert "Seq Scan" not in text
    assert most_rows(text) <= LOOKED_AT
    assert [row["is_listed"] for row in rows] == [False] * (most_rows(text) == LOOKED_AT)


@pytest.mark.parametrize("tagged", [{}, STARRED, STARRED | CHANNEL_LEADS])
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_a_kind_that_the_channel_is_not_of_is_noticed_before_any_row(
    busy: Database, tagged: dict[str, Any], plan: str
) -> None:
    options = ON_CHANNEL | {"channel_kind": ChannelKind.TELEGRAM} | tagged

    rows, text = await explained(busy, Filters(Folder.OPEN, **options), 0, plan)

    assert rows == []
    assert "One-Time Filter" in text
    assert most_rows(text) == 1


@pytest.mark.parametrize("options", [options for options, _ in FILTERS + COMBINED])
def test_no_list_counts_or_skips_rows(options: dict[str, Any]) -> None:
    statement, _ = page_statement(Filters(Folder.OPEN, **options))

    assert "count(" not in statement.lower()
    assert "offset" not in statement.lower()
