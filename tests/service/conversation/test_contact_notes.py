"""Notes: what members write about a contact for each other, with author and time."""

from __future__ import annotations

import pytest

from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping.contacts import note_to
from services.conversation.model.faults import ContactFull, ContactNoteNotFound, ContactNotFound
from services.conversation.model.notes import MAX_NOTES
from tests.audited import kept_in
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Desk

FILL = """
INSERT INTO contact_notes
SELECT $1, gen_random_uuid(), $2, 'Note ' || n, 'member', 'bea', 'Bea', now(), now(), false, 1
FROM generate_series(1, $3::int) n
"""


@pytest.fixture
def contacts(desk: Desk) -> Contacts:
    return Contacts(desk)


@pytest.fixture
async def contact_id(contacts: Contacts) -> str:
    _, contact_id = await contacts.met()
    return contact_id


async def told(desk: Desk) -> list[conversation_v1.ContactNoteChanged]:
    """Every ContactNoteChanged so far."""
    return [
        event
        for event in await desk.published()
        if isinstance(event, conversation_v1.ContactNoteChanged)
    ]


async def test_a_note_is_written_changed_and_deleted_each_told_once(
    desk: Desk, contacts: Contacts, contact_id: str
) -> None:
    written = await contacts.note(contact_id, "Calls at noon.\nPrefers tea.")
    changed = await contacts.rewrite(written.id, "Prefers coffee.")
    await contacts.rewrite(written.id, "Prefers coffee.")
    listed = await contacts.notes(contact_id)
    deleted = await contacts.delete_note(written.id)

    assert (written.author.display_name, written.contact_id) == ("Bea", contact_id)
    assert (changed.version, changed.create_time) == (2, written.create_time)
    assert changed.update_time > written.update_time
    assert listed == [changed]
    assert (deleted.is_deleted, deleted.body) == (True, "")
    assert await contacts.notes(contact_id) == []
    assert [event.note for event in await told(desk)] == [
        note_to(note) for note in (written, changed, deleted)
    ]
    kept = await kept_in(desk.means.database, desk.workspace_id)
    assert [one.command for one in kept] == [
        "ContactService/CreateContactNote",
        "ContactService/UpdateContactNote",
        "ContactService/DeleteContactNote",
    ]
    assert {(one.entity_kind, one.entity_id) for one in kept} == {("contact_note", written.id)}
    assert kept[1].before == {"body": "Calls at noon.\nPrefers tea."}
    assert kept[2].after is None


async def test_a_repeat_gives_the_note_as_it_is_now(
    desk: Desk, contacts: Contacts, contact_id: str
) -> None:
    request_id, deletion = new_id(), new_id()
    written = await contacts.note(contact_id, "Prefers tea.", request_id=request_id)
    changed = await contacts.rewrite(written.id, "Prefers coffee.")

    assert await contacts.note(contact_id, "Prefers tea.", request_id=request_id) == changed
    deleted = await contacts.delete_note(written.id, request_id=deletion)
    assert await contacts.delete_note(written.id, request_id=deletion) == deleted
    assert len(await told(desk)) == 3
    with pytest.raises(IdempotencyKeyReused):
        await contacts.note(contact_id, "Something else.", request_id=request_id)


async def test_a_note_that_changed_meanwhile_or_is_gone_is_refused(
    contacts: Contacts, contact_id: str
) -> None:
    note = await contacts.note(contact_id, "Prefers tea.")
    await contacts.rewrite(note.id, "Prefers coffee.")

    with pytest.raises(VersionConflict):
        await contacts.rewrite(note.id, "Prefers water.", expected_version=1)
    await contacts.delete_note(note.id)
    for act in (contacts.delete_note(note.id), contacts.rewrite(note.id, "Prefers water.")):
        with pytest.raises(ContactNoteNotFound):
            await act
    with pytest.raises(ContactNotFound):
        await contacts.note(new_id(), "Of nobody.")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_pages_of_any_size_hold_every_note_once_newest_first(
    contacts: Contacts, contact_id: str, size: int
) -> None:
    written = [await contacts.note(contact_id, f"Note {number}") for number in range(7)]

    listed = await contacts.notes(contact_id, size=size)

    assert listed == sorted(written, key=lambda note: (note.create_time, note.id), reverse=True)


async def test_a_contact_has_so_many_notes_and_no_more(
    desk: Desk, contacts: Contacts, contact_id: str
) -> None:
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(FILL, desk.workspace_id, contact_id, MAX_NOTES - 1)

    last = await contacts.note(contact_id, "The last one.")

    with pytest.raises(ContactFull):
        await contacts.note(contact_id, "One more.")
    await contacts.delete_note(last.id)
    await contacts.note(contact_id, "Instead of it.")
