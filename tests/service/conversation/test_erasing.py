"""Erasing a contact: asked once, carried out whatever stops meanwhile, and nothing is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis import audit, parking
from chassis.events import Event
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.eraser import LEASE, Eraser
from services.conversation.model import erasure as steps
from services.conversation.model.conversation import Folder
from services.conversation.model.faults import (
    ContactNotFound,
    ConversationNotFound,
    ErasureNotFound,
)
from services.conversation.store import erasures
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers
from tests.canary import a_canary, tables_with
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Desk
from tests.service.conversation.erasing import PROJECTION, ErasingDesk, a_real_customer

LATER = timedelta(minutes=2)


@pytest.fixture
async def erasing(desk: Desk) -> AsyncIterator[ErasingDesk]:
    erasing = ErasingDesk(desk)
    await erasing.place_cursor()
    yield erasing
    # The next test of the module has an eraser of its own.
    async with desk.worker.begin() as transaction:
        await transaction.raw.execute("UPDATE erasures SET next_try_time = NULL")


async def lies_in(servers: TestServers, urls: DatabaseUrls, canary: str) -> set[str]:
    async with connected(with_database(servers.database_url, urls.name)) as connection:
        return await tables_with(connection, canary)


async def test_nothing_of_the_contact_is_found_in_any_table(
    erasing: ErasingDesk, servers: TestServers, urls: DatabaseUrls
) -> None:
    canary = a_canary()
    ana = a_real_customer(canary)
    conversation_id = await erasing.talks(ana, f"my {canary}", f"again {canary}")
    await erasing.desk.tag(conversation_id)
    await erasing.desk.mark_read(conversation_id, 1)
    known = Contacts(erasing.desk)
    also = a_real_customer(f"also {canary}")
    also_id = await erasing.talks(also, "hello")
    other_id, stays_id = await erasing.contact_of(also), await erasing.contact_of(ana)
    await known.note(other_id, f"note on the other {canary}")
    await known.merge(stays_id, other_id)
    await known.note(stays_id, f"note {canary}")
    await known.set_field(stays_id, "city", canary)
    async with erasing.desk.worker.begin(erasing.desk.workspace_id) as transaction:
        change = audit.Change("contact", await erasing.contact_of(ana), None, {"name": canary})
        await audit.append(transaction, audit.SYSTEM, "renamed", [change], at=erasing.clock.now())
    assert await lies_in(servers, urls, canary) == {
        "audit_entries", "contact_identities", "contact_name_words", "contact_notes",
        "contact_profiles", "contacts", "conversations", "outbox",
    }  # fmt: skip
    erasure = await erasing.ask(await erasing.contact_of(ana))

    await erasing.work()
    await erasing.number_and_delete()
    erasing.clock.advance(LATER)
    await erasing.work()

    assert await lies_in(servers, urls, canary) == set()
    assert (await erasing.state(erasure)).done_time is not None
    assert sorted(erasing.neighbours.forgotten) == sorted([conversation_id, also_id])
    with pytest.raises(ConversationNotFound):
        await erasing.desk.get(conversation_id)


async def test_others_and_their_counters_stay_and_browsers_are_told(erasing: ErasingDesk) -> None:
    ana, ben = a_real_customer("Ana"), a_real_customer("Ben")
    gone = await erasing.talks(ana, "hello")
    stays = await erasing.talks(ben, "hello")
    await erasing.desk.tag(gone)
    contact_id = await erasing.contact_of(ana)
    before = await erasing.desk.get(stays)
    await erasing.ask(contact_id)

    await erasing.work()

    assert await erasing.desk.get(stays) == before
    assert await erasing.desk.drift() == 0
    assert [one.id for one in (await erasing.desk.page(Folder.OPEN)).conversations] == [stays]
    told = (await erasing.desk.frames())[-3:]
    assert told[:2] == [
        conversation_v1.ConversationErased(conversation_id=gone),
        conversation_v1.ContactErased(contact_id=contact_id),
    ]
    assert isinstance(told[2], conversation_v1.CountersChanged)


async def test_a_contact_with_several_conversations_goes_with_the_last(
    erasing: ErasingDesk,
) -> None:
    ana, other = a_real_customer("Ana"), a_real_customer("Ana at another channel")
    first = await erasing.talks(ana, "hello")
    second = await erasing.talks(other, "hello")
    contact_id = await erasing.contact_of(ana)
    async with erasing.desk.worker.begin(erasing.desk.workspace_id) as transaction:
        for table in ("conversations", "contact_identities"):
            await transaction.raw.execute(f"UPDATE {table} SET contact_id = $1", contact_id)

    await erasing.thread_erased(first, 1)
    left = (await erasing.desk.get(second)).contact
    assert [identity.conversation_id for identity in left.identities] == [second]
    await erasing.thread_erased(second, 1)

    with pytest.raises(ContactNotFound):
        await erasing.ask(contact_id)


async def test_it_goes_on_when_a_neighbour_was_away_and_says_how_often(
    erasing: ErasingDesk,
) -> None:
    ana = a_real_customer("Ana")
    await erasing.talks(ana, "hello")
    erasure = await erasing.ask(await erasing.contact_of(ana))
    erasing.neighbours.is_away = True
    await erasing.work()
    erasing.clock.advance(LATER)
    await erasing.work()
    waits = await erasing.state(erasure)
    assert (waits.failure_count, waits.next_step) == (2, steps.THREADS)
    assert (await erasing.desk.get(ana.conversation_id)).contact.display_name == "Ana"

    erasing.neighbours.is_away = False
    erasing.clock.advance(LATER)
    await erasing.work()

    done = await erasing.state(erasure)
    assert done.next_step == steps.STREAM
    assert set(done.done) == {steps.THREADS, steps.INBOX, steps.ASSISTANT}
    assert len(erasing.neighbours.erased) == 1, "every try is the same request"


async def test_messaging_is_asked_again_until_nothing_is_left_there(erasing: ErasingDesk) -> None:
    ana = a_real_customer("Ana")
    await erasing.talks(ana, "hello")
    erasure = await erasing.ask(await erasing.contact_of(ana))
    erasing.neighbours.needs_asking = 2

    for _ in range(3):
        assert (await erasing.state(erasure)).next_step == steps.THREADS
        await erasing.work()
        erasing.clock.advance(LATER)

    state = await erasing.state(erasure)
    assert (state.next_step, state.failure_count) == (steps.STREAM, 0)


async def test_who_dies_with_it_is_followed_by_another(erasing: ErasingDesk) -> None:
    ana = a_real_customer("Ana")
    await erasing.talks(ana, "hello")
    erasure = await erasing.ask(await erasing.contact_of(ana))
    async with erasing.desk.worker.begin() as transaction:
        assert await erasures.lease(transaction, erasing.clock.now(), LEASE)

    assert not await Eraser(erasing.with_).run_once(), "while the lease lasts nobody else works"
    erasing.clock.advance(LEASE)
    await erasing.work()

    assert (await erasing.state(erasure)).next_step == steps.STREAM


async def test_what_was_parked_is_dropped_and_its_line_goes_on(erasing: ErasingDesk) -> None:
    """The end of the thread stands in the line behind an event that cannot be applied."""
    canary, workspace_id = a_canary(), erasing.desk.workspace_id
    ana = a_real_customer(canary)
    conversation_id = await erasing.talks(ana, "hello")
    async with erasing.desk.worker.begin() as transaction:
        for gpos in (5, 6, 9):
            event = Event(
                gpos, "first-life", new_id(), workspace_id, f"inbox.messaging.v1.x.{workspace_id}",
                conversation_id, canary.encode(), "2026-11-23T12:00:00Z",
            )  # fmt: skip
            if gpos == 5:
                await parking.park(
                    transaction, PROJECTION, "INBOX_MESSAGING", event, ValueError(), event.time
                )
            else:
                await parking.queue(transaction, PROJECTION, "INBOX_MESSAGING", [event], event.time)
    await erasing.ask(await erasing.contact_of(ana))

    await erasing.work()

    async with erasing.desk.worker.begin() as transaction:
        left = await transaction.raw.fetch("SELECT gpos, state FROM parked_events")
        await transaction.raw.execute("DELETE FROM parked_events")
    assert [tuple(row) for row in left] == [(9, "retrying")]
    with pytest.raises(ConversationNotFound):
        await erasing.desk.get(conversation_id)


async def test_a_customer_who_comes_back_meanwhile_is_new_and_stays(erasing: ErasingDesk) -> None:
    ana = a_real_customer("Ana")
    conversation_id = await erasing.talks(ana, "one", "two")
    await erasing.desk.tag(conversation_id)
    contact_id = await erasing.contact_of(ana)
    erasure = await erasing.ask(contact_id)
    await erasing.thread_erased(conversation_id, 2)
    ana.is_called("Somebody")
    await erasing.desk.apply(ana.opens(), ana.writes("again"))

    await erasing.work()
    await erasing.number_and_delete()
    erasing.clock.advance(LATER)
    await erasing.work()

    back = await erasing.desk.get(conversation_id)
    assert back.preview is not None
    assert (back.preview.text, back.contact.display_name) == ("again", "Somebody")
    assert (back.tag_ids, back.unread_count) == ((), 1)
    assert (await erasing.state(erasure)).done_time is not None
    assert await erasing.desk.drift() == 0


async def test_conversations_that_come_to_the_contact_meanwhile_are_erased_too(
    erasing: ErasingDesk,
) -> None:
    ana, other = a_real_customer("Ana"), a_real_customer("Ana")
    await erasing.talks(ana, "hello")
    contact_id = await erasing.contact_of(ana)
    erasure = await erasing.ask(contact_id)
    merged = await erasing.talks(other, "hello")
    async with erasing.desk.worker.begin(erasing.desk.workspace_id) as transaction:
        for table in ("conversations", "contact_identities"):
            await transaction.raw.execute(f"UPDATE {table} SET contact_id = $1", contact_id)

    for _ in range(3):
        await erasing.work()
        await erasing.number_and_delete()
        erasing.clock.advance(LATER)

    state = await erasing.state(erasure)
    assert state.done_time is not None
    assert merged in state.conversation_ids
    with pytest.raises(ConversationNotFound):
        await erasing.desk.get(merged)


async def test_a_repeat_and_a_second_request_give_the_erasure_that_is_under_way(
    erasing: ErasingDesk,
) -> None:
    ana, request_id = a_real_customer("Ana"), new_id()
    await erasing.talks(ana, "hello")
    contact_id = await erasing.contact_of(ana)
    first = await erasing.ask(contact_id, request_id=request_id)

    assert (await erasing.ask(contact_id)).id == first.id
    await erasing.work()
    assert (await erasing.ask(contact_id, request_id=request_id)).id == first.id
    await erasing.number_and_delete()
    erasing.clock.advance(LATER)
    await erasing.work()

    assert (await erasing.ask(contact_id, request_id=request_id)).id == first.id
    with pytest.raises(ContactNotFound):
        await erasing.ask(contact_id)


async def test_an_erasure_is_of_its_workspace_alone(erasing: ErasingDesk, desk: Desk) -> None:
    ana = a_real_customer("Ana")
    await erasing.talks(ana, "hello")
    contact_id = await erasing.contact_of(ana)
    erasure = await erasing.ask(contact_id)
    desk.workspace_id = type(desk.workspace_id)(new_id())
    stranger = ErasingDesk(desk)

    with pytest.raises(ErasureNotFound):
        await stranger.state(erasure)
    with pytest.raises(ContactNotFound):
        await stranger.ask(contact_id)


async def test_the_audit_names_ids_and_nothing_else(erasing: ErasingDesk) -> None:
    ana = a_real_customer("Ana")
    conversation_id = await erasing.talks(ana, "hello")
    contact_id = await erasing.contact_of(ana)
    erasure = await erasing.ask(contact_id)

    async with erasing.desk.worker.begin(erasing.desk.workspace_id) as transaction:
        (row,) = await transaction.raw.fetch(
            "SELECT command, before, after::jsonb->>'contact_id', "
            "after::jsonb->'conversation_ids'->>0 FROM audit_entries WHERE entity_id = $1",
            erasure.id,
        )
    assert tuple(row) == ("PrivacyService/EraseContact", None, contact_id, conversation_id)
