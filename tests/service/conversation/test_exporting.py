"""Exporting a contact: everything once, in order, however the pages fall."""

from __future__ import annotations

import pytest

from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.exporting import ExportPage, Place, export_contact
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.faults import ContactNotFound
from services.conversation.model.profile import Profile
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Desk
from tests.service.conversation.erasing import ErasingDesk, a_real_customer


async def export(desk: ErasingDesk, contact_id: str, size: int) -> list[ExportPage]:
    pages: list[ExportPage] = []
    place: Place | None = None
    while True:
        page = await export_contact(
            desk.means, desk.neighbours, desk.owner, contact_id, after=place, page_size=size
        )
        pages.append(page)
        place = page.next_place
        if place is None:
            return pages


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 50])
async def test_every_record_comes_once_and_no_page_is_too_long(desk: Desk, size: int) -> None:
    exporting = ErasingDesk(desk)
    ana, other = a_real_customer("Ana"), a_real_customer("Ana")
    await exporting.talks(ana, "one", "two", "three")
    await exporting.talks(other, "four")
    contact_id = await exporting.contact_of(ana)
    async with desk.worker.begin(desk.workspace_id) as transaction:
        for table in ("conversations", "contact_identities"):
            await transaction.raw.execute(f"UPDATE {table} SET contact_id = $1", contact_id)

    note = await Contacts(desk).note(contact_id, "likes tea")

    pages = await export(exporting, contact_id, size)

    assert all(len(page.records) <= size for page in pages)
    contact, profile, noted, *records = [record for page in pages for record in page.records]
    assert isinstance(contact, Contact)
    assert isinstance(profile, Profile)
    assert noted == note
    assert (contact.id, contact.display_name, len(contact.identities)) == (contact_id, "Ana", 2)
    told = [
        one.id if isinstance(one, Conversation) else (one.conversation_id, one.seq)
        for one in records
        if isinstance(one, Conversation | messaging_v1.Message)
    ]
    first, second = sorted((ana, other), key=lambda customer: customer.conversation_id)
    assert told == [
        first.conversation_id,
        *[(first.conversation_id, seq) for seq in range(first.seq, 0, -1)],
        second.conversation_id,
        *[(second.conversation_id, seq) for seq in range(second.seq, 0, -1)],
    ]


async def test_a_contact_of_another_workspace_is_none(desk: Desk) -> None:
    exporting = ErasingDesk(desk)
    ana = a_real_customer("Ana")
    await exporting.talks(ana, "one")
    contact_id = await exporting.contact_of(ana)
    desk.workspace_id = type(desk.workspace_id)("0190f3a4-0000-7000-8000-000000000001")

    with pytest.raises(ContactNotFound):
        await export(ErasingDesk(desk), contact_id, 10)
