"""Contacts by name: the list, the search, and that each walks an index of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId
from services.conversation.actions.contact_search import (
    CONVERSATIONS_SHOWN,
    index_names,
    list_contact_conversations,
)
from services.conversation.model.conversation import Folder
from services.conversation.store import names
from services.conversation.store.listing import BEFORE_ALL
from services.conversation.store.names import BEFORE_ALL_NAMES, LOOKED_AT
from suite.databases import DatabaseUrls, connected
from suite.testing import TestServers, fresh_database
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer

BUSY = WorkspaceId("018f0000-0000-7000-8000-000000000001")
ROWS = 20_000
FILL_CONTACTS = """
INSERT INTO contacts (workspace_id, id, display_name, create_time, version, name_key)
SELECT $1, md5('contact' || n)::uuid, 'Ana ' || md5(n::text), now(), 1, 'ana ' || md5(n::text)
FROM generate_series(1, $2::int) n
"""
FILL_IDENTITIES = """
INSERT INTO contact_identities
SELECT $1, md5('channel')::uuid, 'visitor-' || n, md5('contact' || n)::uuid, 'web_chat', 'Ana', 1,
       'life'
FROM generate_series(1, $2::int) n
"""
FILL_WORDS = """
INSERT INTO contact_name_words
SELECT $1, md5('contact' || n)::uuid, unnest(ARRAY['ana', md5(n::text)])
FROM generate_series(1, $2::int) n
"""
OLD_CONTACTS = """
INSERT INTO contacts SELECT $1, md5('old' || n)::uuid, 'José ' || n, now(), 1
FROM generate_series(1, $2::int) n
"""


@pytest.fixture
def contacts(desk: Desk) -> Contacts:
    return Contacts(desk)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
async def test_pages_of_any_size_hold_every_contact_once_by_name(
    contacts: Contacts, size: int
) -> None:
    for name in ("Zoë", "álvaro", "Ana", "", "ana"):
        await contacts.met(name)

    listed = [contact.display_name for contact in await contacts.listed(size=size)]

    assert listed[0] == ""
    assert [listed[1], *sorted(listed[2:4]), listed[4]] == ["álvaro", "Ana", "ana", "Zoë"]


async def test_a_name_is_found_by_the_beginnings_of_its_words_whatever_their_accents(
    contacts: Contacts,
) -> None:
    for name in ("José Núñez", "Josefa Ortiz", "Ana José", "Núria", "王小明", "Иван Ёлкин"):
        await contacts.met(name)

    async def found(query: str) -> set[str]:
        return set(await contacts.names_found(query))

    assert await found("jose") == {"José Núñez", "Josefa Ortiz", "Ana José"}
    assert await found("JOSÉ nu") == {"José Núñez"}
    assert await found("nu") == {"José Núñez", "Núria"}
    assert await found("jose jo") == {"José Núñez", "Josefa Ortiz", "Ana José"}
    assert await found("小") == {"王小明"}
    assert await found("елк") == {"Иван Ёлкин"}
    assert await found("rtiz") == set()


async def test_what_was_looked_for_is_marked_in_the_name(contacts: Contacts) -> None:
    await contacts.met("🌵 José Núñez")

    [found] = await contacts.found("nuñ jo")

    name = found.contact.display_name.encode("utf-16-le")
    marked = [
        name[2 * one.start : 2 * (one.start + one.length)].decode("utf-16-le")
        for one in found.highlights
    ]
    assert marked == ["Jo", "Núñ"]


async def test_a_search_follows_every_new_name(desk: Desk, contacts: Contacts) -> None:
    customer, contact_id = await contacts.met("Ana")

    await desk.apply(customer.is_called("Eva"))
    assert (await contacts.names_found("ana"), await contacts.names_found("eva")) == ([], ["Eva"])
    await contacts.update(contact_id, display_name="Eva María")
    assert await contacts.names_found("mari") == ["Eva María"]
    assert [contact.display_name for contact in await contacts.listed()] == ["Eva María"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
async def test_pages_of_a_search_hold_each_contact_once(contacts: Contacts, size: int) -> None:
    """Also one of whose name several words fit."""
    for name in ("Ana Anaya", "Anabel Ana Anta", "Ana", "Eva", "Andrés", "Joana"):
        await contacts.met(name)

    found = await contacts.names_found("an", size=size)

    assert sorted(found) == ["Ana", "Ana Anaya", "Anabel Ana Anta", "Andrés"]


async def test_a_contact_is_found_with_its_newest_conversations(
    desk: Desk, contacts: Contacts
) -> None:
    customers = []
    for number in range(CONVERSATIONS_SHOWN + 1):
        customer = a_customer(f"Ana {number}")
        at = FIRST_DAY + timedelta(hours=number)
        await desk.apply(customer.opens(), customer.writes(at=at))
        customers.append(customer)
    ids = [(await desk.get(one.conversation_id)).contact.id for one in customers]
    for other in ids[1:]:
        await contacts.merge(ids[0], other)
    newest_first = [one.conversation_id for one in reversed(customers)]
    await desk.move(newest_first[0], Folder.ARCHIVED)

    [found] = await contacts.found("ana")

    shown = [conversation.id for conversation in found.conversations]
    assert shown == newest_first[:CONVERSATIONS_SHOWN]
    first = await list_contact_conversations(
        desk.means, desk.agent, ids[0], after=BEFORE_ALL, size=3
    )
    assert first.next_place is not None
    second = await list_contact_conversations(
        desk.means, desk.agent, ids[0], after=first.next_place, size=3
    )
    assert second.next_place is None
    listed = [one.id for one in (*first.conversations, *second.conversations)]
    assert listed == newest_first


async def test_contacts_of_an_older_version_are_found_once_they_are_indexed(
    desk: Desk, contacts: Contacts
) -> None:
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(OLD_CONTACTS, desk.workspace_id, 1200)
    before = await contacts.names_found("jose"), await contacts.listed()

    for _ in range(2):
        await index_names(desk.worker, desk.workspace_id)

    assert before == ([], [])
    assert len(set(await contacts.names_found("jose"))) == 1200
    assert len(await contacts.listed(size=200)) == 1200


@pytest.fixture(scope="module")
def busy_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "conversation") as urls:
        yield urls


@pytest.fixture
async def busy(busy_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A workspace with many contacts, seen by the role that serves requests."""
    worker = Database(busy_urls.worker)
    async with worker.begin(BUSY) as transaction:
        if not await transaction.raw.fetchval("SELECT count(*) FROM contacts"):
            for statement in (FILL_CONTACTS, FILL_IDENTITIES, FILL_WORDS):
                await transaction.raw.execute(statement, BUSY, ROWS)
    await worker.close()
    async with connected(busy_urls.owner) as owner:
        await owner.execute("VACUUM ANALYZE")
    database = Database(busy_urls.app)
    yield database
    await database.close()


async def explained(busy: Database, plan: str, statement: str, *asked: object) -> str:
    """How PostgreSQL comes by the rows."""
    async with busy.begin(BUSY) as transaction:
        await transaction.raw.execute(f"SET LOCAL plan_cache_mode = {plan}")
        lines = await transaction.raw.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {statement}",
            BUSY,
            *asked,
        )
    return "\n".join(line[0] for line in lines)


PLANS = pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])


@PLANS
async def test_the_list_walks_its_index_to_the_page_and_no_further(
    busy: Database, plan: str
) -> None:
    text = await explained(busy, plan, names.PAGE, "ana 8", names.LOWEST_ID, 51)

    assert "using ix_contacts_name on contacts" in text
    assert "Seq Scan" not in text
    assert max(map(float, re.findall(r"actual rows=([\d.]+)", text))) == 51


@PLANS
@pytest.mark.parametrize("others", [[], ["e"], ["e", "ana"]])
async def test_a_search_looks_at_so_many_names_and_no_more(
    busy: Database, plan: str, others: list[str]
) -> None:
    last = names.LAST_CHARACTER
    lasts = [other + last for other in others]

    text = await explained(
        busy, plan, names.WALK, "an", "an" + last, "", names.LOWEST_ID, LOOKED_AT, others, lasts
    )

    assert "ix_contact_name_words_word" in text
    assert "Seq Scan" not in text
    assert max(map(float, re.findall(r"actual rows=([\d.]+)", text))) == LOOKED_AT


async def test_a_page_of_a_search_may_be_short_and_say_where_to_go_on(busy: Database) -> None:
    async with busy.begin(BUSY) as transaction:
        walked = await names.walk(transaction, "ana", ["zzz"], after=BEFORE_ALL_NAMES, size=20)
        found = await names.walk(transaction, "ana", ["e"], after=BEFORE_ALL_NAMES, size=20)

    assert (walked.contact_ids, walked.next_place is None) == ([], False)
    assert len(found.contact_ids) == 20


@PLANS
async def test_what_the_fewest_names_have_leads_and_is_counted_no_further_than_a_walk(
    busy: Database, plan: str
) -> None:
    wanted = ["ana", "abc", "zzz"]
    lasts = [one + names.LAST_CHARACTER for one in wanted]

    text = await explained(busy, plan, names.RAREST, wanted, lasts, LOOKED_AT)
    async with busy.begin(BUSY) as transaction:
        leading = await names.rarest(transaction, wanted)
        found = await names.walk(transaction, leading, ["ana"], after=BEFORE_ALL_NAMES, size=20)

    assert (leading, found.contact_ids, found.next_place) == ("zzz", [], None)
    assert "using ix_contact_name_words_word" in text
    assert max(map(float, re.findall(r"actual rows=([\d.]+)", text))) <= LOOKED_AT
