"""Two contacts that are one person: nothing is lost, every id stays good, and it happens once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions.contact_search import list_contact_conversations
from services.conversation.mapping import contact_to
from services.conversation.model.faults import (
    ContactFull,
    ContactMergedIntoItself,
    ContactNotFound,
)
from services.conversation.model.profile import MAX_FIELDS, ConsentState
from services.conversation.model.thread import ChannelKind
from services.conversation.store import known_contacts
from services.conversation.store.listing import BEFORE_ALL
from tests.audited import kept_in
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import FIRST_DAY, Customer, Desk


@pytest.fixture
def contacts(desk: Desk) -> Contacts:
    return Contacts(desk)


@pytest.fixture
async def ana(contacts: Contacts) -> tuple[Customer, str]:
    """Whom the workspace knows from its site."""
    return await contacts.met("Ana García")


@pytest.fixture
async def anita(contacts: Contacts) -> tuple[Customer, str]:
    """The same person, elsewhere."""
    return await contacts.met("anita", kind=ChannelKind.TELEGRAM)


Met = tuple[Customer, str]


async def test_the_one_that_stays_has_everything_of_both(
    desk: Desk, contacts: Contacts, ana: Met, anita: Met
) -> None:
    (site, stays), (telegram, goes) = ana, anita
    vip = await desk.create_tag("VIP")
    await contacts.update(stays, email="ana@example.com")
    await contacts.set_field(stays, "city", "Vigo")
    await contacts.update(goes, email="anita@example.org", phone="600111222")
    await contacts.set_field(goes, "city", "Lugo")
    await contacts.set_field(goes, "size", "M")
    await contacts.tag(goes, vip.id)
    note = await contacts.note(goes, "Likes tea.")

    known = await contacts.merge(stays, goes)

    assert known == await contacts.get(stays)
    assert known.contact.display_name == "Ana García"
    assert {identity.key for identity in known.contact.identities} == {
        site.thread.identity_key,
        telegram.thread.identity_key,
    }
    assert (known.profile.email, known.profile.phone) == ("ana@example.com", "600111222")
    assert {field.key: field.value for field in known.profile.fields} == {
        "city": "Vigo",
        "size": "M",
    }
    assert known.profile.tag_ids == (vip.id,)
    assert [one.id for one in await contacts.notes(stays)] == [note.id]
    page = await list_contact_conversations(
        desk.means, desk.agent, stays, after=BEFORE_ALL, size=50
    )
    assert {one.id for one in page.conversations} == {
        site.conversation_id,
        telegram.conversation_id,
    }
    assert (await desk.get(telegram.conversation_id)).contact == known.contact


async def test_of_what_both_said_about_a_purpose_the_latest_counts(
    contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    _, goes = anita
    await contacts.consent(stays, "news", ConsentState.GRANTED, consent_time=FIRST_DAY)
    later = FIRST_DAY + timedelta(hours=1)
    await contacts.consent(goes, "news", ConsentState.WITHDRAWN, consent_time=later)

    known = await contacts.merge(stays, goes)

    assert [one.state for one in known.profile.consents] == [ConsentState.WITHDRAWN]


async def test_the_id_of_the_one_that_went_means_the_one_that_stayed(
    contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    _, goes = anita
    merged = await contacts.merge(stays, goes)

    assert await contacts.get(goes) == merged
    changed = await contacts.set_field(goes, "city", "Vigo")
    note = await contacts.note(goes, "Likes tea.")

    assert changed.id == note.contact_id == stays
    assert [one.id for one in await contacts.listed()] == [stays]
    assert await contacts.names_found("anita") == []


async def test_who_was_merged_before_goes_along(contacts: Contacts, ana: Met, anita: Met) -> None:
    _, first = ana
    _, second = anita
    _, third = await contacts.met("A. García")

    await contacts.merge(second, first)
    known = await contacts.merge(third, second)

    assert await contacts.get(first) == await contacts.get(second) == known
    assert len(known.contact.identities) == 3


async def test_what_the_customer_writes_next_comes_to_the_one_that_stayed(
    desk: Desk, contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    telegram, goes = anita
    await contacts.merge(stays, goes)

    await desk.apply(telegram.writes("me again"))
    await desk.apply(telegram.is_called("anita_2"))
    # Messaging was restored from a backup: the same identity opens another conversation.
    again = Customer(replace(telegram.thread, conversation_id=new_id(), log_epoch="second-life"))
    await desk.apply(again.opens(), again.writes())

    for customer in (telegram, again):
        conversation = await desk.get(customer.conversation_id)
        assert (conversation.contact.id, conversation.contact.display_name) == (
            stays,
            "Ana García",
        )
    assert len(await contacts.listed()) == 1


async def test_a_merge_is_one_event_and_is_told_of_both_in_the_audit(
    desk: Desk, contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    telegram, goes = anita
    before = len(await desk.published())

    known = await contacts.merge(stays, goes)

    [event] = (await desk.published())[before:]
    assert isinstance(event, conversation_v1.ContactsMerged)
    assert event.contact == contact_to(known.contact)
    assert (event.merged_contact.id, event.merged_contact.merged_into_id) == (goes, stays)
    assert event.author.display_name == "Bea"
    kept = await kept_in(desk.means.database, desk.workspace_id)
    assert {(one.command, one.entity_id) for one in kept} == {
        ("ContactService/MergeContacts", stays),
        ("ContactService/MergeContacts", goes),
    }
    [gone] = [one for one in kept if one.entity_id == goes]
    assert gone.before is not None
    assert gone.before["display_name"] == "anita"
    assert gone.before["identities"] == [" ".join(telegram.thread.identity_key)]
    assert gone.after == {"merged_into_id": stays}


async def test_a_repeat_changes_nothing_whether_or_not_it_is_the_same_request(
    desk: Desk, contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    _, goes = anita
    request_id = new_id()
    known = await contacts.merge(stays, goes, request_id=request_id)
    told = len(await desk.published())

    assert await contacts.merge(stays, goes, request_id=request_id) == known
    assert await contacts.merge(stays, goes) == known
    assert await contacts.merge(goes, stays) == known
    assert len(await desk.published()) == told


async def test_what_cannot_be_merged_stays_as_it_is(
    contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    _, goes = anita
    with pytest.raises(ContactMergedIntoItself):
        await contacts.merge(stays, stays)
    with pytest.raises(ContactNotFound):
        await contacts.merge(stays, new_id())
    with pytest.raises(VersionConflict):
        await contacts.merge(stays, goes, expected_version=7)
    with pytest.raises(VersionConflict):
        await contacts.merge(stays, goes, expected_merged_version=7)
    for number in range(MAX_FIELDS):
        await contacts.set_field(stays, f"detail_{number}", "known")
    await contacts.set_field(goes, "one_more", "known")
    with pytest.raises(ContactFull):
        await contacts.merge(stays, goes)

    assert len(await contacts.listed()) == 2
    assert (await contacts.get(goes)).id == goes


async def test_a_message_a_merge_and_a_change_at_the_same_moment_lose_nothing(
    desk: Desk, contacts: Contacts, ana: Met, anita: Met
) -> None:
    _, stays = ana
    telegram, goes = anita
    again = Customer(replace(telegram.thread, conversation_id=new_id(), log_epoch="second-life"))

    await asyncio.gather(
        contacts.merge(stays, goes),
        desk.apply(telegram.writes(), again.opens(), again.writes()),
        contacts.update(goes, phone="600111222"),
        contacts.set_field(stays, "city", "Vigo"),
    )

    known = await contacts.get(stays)
    assert known.profile.phone == "600111222"
    assert [field.value for field in known.profile.fields] == ["Vigo"]
    for customer in (telegram, again):
        assert (await desk.get(customer.conversation_id)).contact == known.contact


async def test_a_new_name_waits_for_the_person_who_is_changing_it(
    desk: Desk, contacts: Contacts, ana: Met
) -> None:
    site, contact_id = ana
    async with desk.means.database.begin(desk.workspace_id) as transaction:
        known = await known_contacts.lock(transaction, contact_id)
        renaming = asyncio.create_task(desk.apply(site.is_called("ana_1999")))
        await waiting_for_a_lock(desk)
        contact = replace(known.contact, display_name="Ana, the florist", version=2)
        await known_contacts.save(transaction, replace(known, contact=contact))
    await renaming

    after = (await contacts.get(contact_id)).contact
    assert (after.display_name, after.version) == ("Ana, the florist", 2)


async def waiting_for_a_lock(desk: Desk) -> None:
    """Until some transaction waits for another one's."""
    async with desk.worker.begin() as transaction, asyncio.timeout(10):
        while not await transaction.raw.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        ):
            await asyncio.sleep(0)
