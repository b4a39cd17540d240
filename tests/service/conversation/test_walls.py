"""No row crosses workspaces: the code's check and row security each suffice alone (I14)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from services.conversation.model.conversation import Folder
from services.conversation.model.faults import ConversationNotFound
from services.conversation.model.tags import PRIORITY
from services.conversation.store import (
    contacts,
    conversations,
    counters,
    known_contacts,
    listing,
    names,
    notes,
    seen,
    settings,
    tags,
)
from services.conversation.store.conversations import BEFORE_ALL_IDS
from services.conversation.store.listing import BEFORE_ALL, Filters
from services.conversation.store.names import BEFORE_ALL_NAMES
from suite.databases import DatabaseUrls, with_database
from suite.testing import TestServers
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Customer, Desk, a_customer

STARRED = Filters(Folder.OPEN, tag_ids=(PRIORITY.id,))
TABLES = (
    "contacts",
    "contact_identities",
    "contact_name_words",
    "contact_notes",
    "contact_profiles",
    "conversations",
    "tags",
    "conversation_tags",
    "counters",
    "conversation_seen",
    "inbox_settings",
)


@pytest.fixture
async def ana(desk: Desk) -> Customer:
    """A customer of the desk's workspace."""
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes(), customer.writes())
    await desk.tag(customer.conversation_id)
    await desk.create_tag("VIP")
    await desk.mark_read(customer.conversation_id, 1)
    await desk.choose(reopens_on_inbound=False)
    known, contact = Contacts(desk), (await desk.get(customer.conversation_id)).contact
    await known.update(contact.id, email="ana@example.com")
    await known.note(contact.id, "Prefers tea.")
    return customer


@pytest.fixture
def stranger(desk: Desk) -> Desk:
    """Another workspace on the same database."""
    return Desk(desk.means, desk.worker, WorkspaceId(new_id()), [])


async def found_by(
    transaction: Transaction, workspace_id: WorkspaceId, ana: Customer
) -> list[object]:
    """Whatever any read of the store finds of a customer when the code asks for a workspace."""
    asked = replace(transaction, workspace_id=workspace_id)
    page = await listing.page(asked, Filters(Folder.OPEN), after=BEFORE_ALL, size=10)
    found = [
        *page.conversations,
        *await conversations.in_id_order(asked, after=BEFORE_ALL_IDS, size=10),
        *(await conversations.lock_many(asked, [ana.conversation_id])).values(),
        *(await contacts.by_identity(asked, [ana.thread.identity_key])).values(),
        *(await listing.page(asked, STARRED, after=BEFORE_ALL, size=10)).conversations,
        *[tag for tag in await tags.every(asked) if tag != PRIORITY],
        *await counters.every(asked),
        *await seen.of(asked, ana.conversation_id),
        *[chosen for chosen in [await settings.read(asked)] if chosen.version],
        *await known_contacts.in_id_order(asked, after=BEFORE_ALL_IDS, size=10),
        *await names.page(asked, BEFORE_ALL_NAMES, 10),
        *(await names.walk(asked, "ana", [], after=BEFORE_ALL_NAMES, size=10)).contact_ids,
        *await notes.in_id_order(asked, after=BEFORE_ALL_IDS, size=10),
    ]
    with suppress(ConversationNotFound):
        found.append(await conversations.get(asked, ana.conversation_id))
    return found


async def test_a_foreign_conversation_is_not_found_whatever_is_tried(
    desk: Desk, stranger: Desk, ana: Customer
) -> None:
    for act in (stranger.get, stranger.solve, stranger.reopen, stranger.tag, stranger.untag):
        with pytest.raises(ConversationNotFound):
            await act(ana.conversation_id)
    with pytest.raises(ConversationNotFound):
        await stranger.mark_read(ana.conversation_id, 1)

    assert (await stranger.page()).conversations == []
    with pytest.raises(ConversationNotFound):
        await stranger.mark_unread(ana.conversation_id, 1, expected_version=1)
    assert await stranger.counters() == {}
    assert (await desk.get(ana.conversation_id)).version == 3


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_row_security_holds_with_the_codes_check_off(
    desk: Desk, stranger: Desk, ana: Customer, urls: DatabaseUrls, role: str
) -> None:
    database = Database(getattr(urls, role))
    async with database.begin(stranger.workspace_id) as transaction:
        # The code asks for the workspace that it must not see.
        assert await found_by(transaction, desk.workspace_id, ana) == []
    async with database.begin() as transaction:
        assert await found_by(transaction, desk.workspace_id, ana) == []
        for table in TABLES:
            assert await transaction.raw.fetchval(f"SELECT count(*) FROM {table}") == 0
    await database.close()


async def test_the_codes_check_holds_with_row_security_off(
    desk: Desk, stranger: Desk, ana: Customer, servers: TestServers, urls: DatabaseUrls
) -> None:
    superuser = Database(with_database(servers.database_url, urls.name))
    async with superuser.begin() as transaction:
        assert await found_by(transaction, stranger.workspace_id, ana) == []
        assert len(await found_by(transaction, desk.workspace_id, ana)) == 16
    await superuser.close()


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_no_role_writes_into_another_workspace(
    desk: Desk, stranger: Desk, ana: Customer, urls: DatabaseUrls, role: str
) -> None:
    database = Database(getattr(urls, role))
    async with database.begin(stranger.workspace_id) as transaction:
        touched = await transaction.raw.execute("UPDATE conversations SET folder = 'spam'")
    assert touched == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.begin(stranger.workspace_id) as transaction:
            await transaction.raw.execute(
                "INSERT INTO outbox (event_id, workspace_id, subject, ordering_key, payload, "
                "create_time) VALUES ($1, $2, $3, 'key', '', now())"
                if role == "app"
                else "INSERT INTO contacts VALUES ($2, $1, $3, now(), 1)",
                new_id(),
                desk.workspace_id,
                f"inbox.conversation.v1.contact_changed.{desk.workspace_id}",
            )
    await database.close()


async def test_one_request_id_means_two_things_in_two_workspaces(
    desk: Desk, stranger: Desk, ana: Customer
) -> None:
    bob, request_id = a_customer(), new_id()
    await stranger.apply(bob.opens())

    await desk.solve(ana.conversation_id, request_id=request_id)
    solved = await stranger.solve(bob.conversation_id, request_id=request_id)

    assert solved.folder is Folder.SOLVED


async def test_the_same_identity_in_two_workspaces_is_two_contacts(
    desk: Desk, stranger: Desk, ana: Customer
) -> None:
    await stranger.apply(replace(ana.opens(), inbound_count=0))

    ours, theirs = await desk.get(ana.conversation_id), await stranger.get(ana.conversation_id)

    assert ours.contact.id != theirs.contact.id
    assert (ours.unread_count, theirs.preview) == (1, None)
