"""The inbox list: its order, its pages, its filters, and that each walks an index of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.faults import TagNotFound
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind
from services.conversation.store import listing
from services.conversation.store.listing import BEFORE_ALL, Filters, page_statement
from suite.databases import DatabaseUrls, connected
from suite.testing import TestServers, fresh_database
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer

BUSY = WorkspaceId("018f0000-0000-7000-8000-000000000001")
CHANNEL = "018f0000-0000-7000-8000-00000000ca01"
VIP = "018f0000-0000-7000-8000-00000000a001"
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


async def test_tags_combine_with_each_other_and_with_everything_else(desk: Desk) -> None:
    channel_id = new_id()
    vip = await desk.create_tag("VIP")
    names = ("nothing", "starred", "vip", "both", "both and read", "both and solved", "elsewhere")
    customers = {name: a_customer(name, channel_id=channel_id) for name in names}
    customers["elsewhere"] = a_customer("elsewhere", kind=ChannelKind.TELEGRAM)
    for name, customer in customers.items():
        await desk.apply(customer.writes())
        if name not in {"nothing", "vip"}:
            await desk.tag(customer.conversation_id, "prioritario")
        if name not in {"nothing", "starred"}:
            await desk.tag(customer.conversation_id, vip.id)
    await desk.mark_read(customers["both and read"].conversation_id, 1)
    await desk.solve(customers["both and solved"].conversation_id)

    async def found(*tags: str, **query: Any) -> set[str]:
        return {c.contact.display_name for c in await listed(desk, 2, tags=tags, **query)}

    both = {"both", "both and read", "elsewhere"}
    assert await found("priority") == {"starred", *both}
    assert await found("vip") == {"vip", *both}
    assert await found("vip", "prioritario") == await found(vip.id, PRIORITY.id) == both
    assert await found("vip", "priority", unread_only=True) == {"both", "elsewhere"}
    assert await found("vip", "priority", channel_id=channel_id) == {"both", "both and read"}
    assert await found("vip", channel_kind=ChannelKind.TELEGRAM) == {"elsewhere"}
    assert await found(channel_kind=ChannelKind.TELEGRAM) == {"elsewhere"}
    assert await found("vip", folder=Folder.SOLVED) == {"both and solved"}
    with pytest.raises(TagNotFound):
        await found("vip", "never-made")


async def test_the_rarest_of_tags_and_channel_leads(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, busy = new_id(), new_id()
    vip = await desk.create_tag("VIP")
    customers = [a_customer(str(n), channel_id=busy if n % 4 else quiet) for n in range(12)]
    for number, customer in enumerate(customers):
        await desk.apply(customer.writes())
        if number < 5:
            await desk.tag(customer.conversation_id)
        if number < 4:
            await desk.tag(customer.conversation_id, vip.id)
        if number < 3:
            await desk.mark_read(customer.conversation_id, 1)
    asked: list[Filters] = []
    page = listing.page

    async def noted(transaction: Transaction, filters: Filters, **where: Any) -> Any:
        asked.append(filters)
        return await page(transaction, filters, **where)

    monkeypatch.setattr(listing, "page", noted)

    async def leaders(*tags: str, **query: Any) -> tuple[tuple[str, ...], bool]:
        await desk.page(tags=tags, **query)
        return asked[-1].tag_ids, asked[-1].is_channel_rarer

    assert await leaders("vip", "priority") == ((vip.id, PRIORITY.id), False)
    assert await leaders("priority", channel_id=busy) == ((PRIORITY.id,), False)
    assert await leaders("priority", channel_id=quiet) == ((PRIORITY.id,), True)
    assert await leaders("vip", "priority", channel_id=quiet) == ((vip.id, PRIORITY.id), True)
    # One of the VIPs is unread, and two on the quiet channel.
    assert await leaders("vip", channel_id=quiet, unread_only=True) == ((vip.id,), False)
    assert await leaders(channel_id=quiet) == ((), False)
    shown = await desk.page(tags=("vip", "priority"), channel_id=quiet)
    assert [c.contact.display_name for c in shown.conversations] == ["0"]


async def test_a_list_of_one_tag_follows_every_message_and_every_move(desk: Desk) -> None:
    ana, bob = a_customer("Ana"), a_customer("Bob")
    await desk.apply(ana.writes(), bob.writes(at=FIRST_DAY + timedelta(hours=1)))
    for customer in (ana, bob):
        await desk.tag(customer.conversation_id)

    async def starred(**query: Any) -> list[str]:
        found = await listed(desk, 1, tags=("priority",), **query)
        return [conversation.contact.display_name for conversation in found]

    before = await starred()
    await desk.apply(ana.writes(at=FIRST_DAY + timedelta(hours=2)))
    await desk.mark_read(bob.conversation_id, 1)

    assert (before, await starred()) == (["Bob", "Ana"], ["Ana", "Bob"])
    assert await starred(unread_only=True) == ["Ana"]
    await desk.move(ana.conversation_id, Folder.ARCHIVED)
    assert await starred() == ["Bob"]
    assert await starred(folder=Folder.ARCHIVED) == ["Ana"]
    await desk.apply(ana.writes(at=FIRST_DAY + timedelta(hours=3)))
    assert await starred() == ["Ana", "Bob"]
    await desk.untag(ana.conversation_id, PRIORITY.id)
    assert await starred() == ["Bob"]


async def test_waiting_and_assignee_combine_with_everything_else(desk: Desk) -> None:
    me, colleague, _ = (one.id for one in desk.colleagues)
    channel_id = new_id()
    names = ("nothing", "mine", "hers", "waiting", "mine and waiting", "mine and starred")
    customers = {name: a_customer(name, channel_id=channel_id) for name in names}
    for name, customer in customers.items():
        await desk.apply(customer.writes())
        if "waiting" in name:
            await desk.apply(customer.is_handed_over())
        if "mine" in name or name == "hers":
            await desk.assign(customer.conversation_id, me if "mine" in name else colleague)
        if "starred" in name:
            await desk.tag(customer.conversation_id)
    await desk.mark_read(customers["mine and waiting"].conversation_id, 1)

    async def found(**query: Any) -> set[str]:
        return {c.contact.display_name for c in await listed(desk, 2, **query)}

    mine: dict[str, Any] = {"assignee_id": me}
    starred: dict[str, Any] = {"tags": ("priority",)}
    assert await found(**mine) == {"mine", "mine and waiting", "mine and starred"}
    assert await found(assignee_id=colleague) == {"hers"}
    assert await found(unassigned_only=True) == {"nothing", "waiting"}
    assert await found(waiting_only=True) == {"waiting", "mine and waiting"}
    assert await found(waiting_only=True, **mine) == {"mine and waiting"}
    assert await found(waiting_only=True, unassigned_only=True) == {"waiting"}
    assert await found(unread_only=True, **mine) == {"mine", "mine and starred"}
    assert await found(unread_only=True, waiting_only=True) == {"waiting"}
    assert await found(**starred, **mine) == {"mine and starred"}
    assert await found(**starred, unassigned_only=True) == set()
    assert await found(**starred, waiting_only=True) == set()
    assert await found(channel_id=channel_id, waiting_only=True, **mine) == {"mine and waiting"}
    assert await found(folder=Folder.SOLVED, **mine) == set()

    await desk.apply(customers["waiting"].is_taken_by(me))
    await desk.untag(customers["mine and starred"].conversation_id)
    await desk.tag(customers["nothing"].conversation_id)

    assert await found(waiting_only=True) == {"mine and waiting"}
    assert await found(**starred, unassigned_only=True) == {"nothing"}


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
    assert most_rows(text) == 51


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
