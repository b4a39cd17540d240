"""Notes on contacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis import audit
from chassis.auth import Caller
from chassis.ids import new_id
from services.conversation import events
from services.conversation.actions import audited
from services.conversation.actions.changes import publish
from services.conversation.actions.means import Means
from services.conversation.mapping import author_of
from services.conversation.model import notes as rules
from services.conversation.model.faults import ContactFull
from services.conversation.model.notes import MAX_NOTES, Note
from services.conversation.store import known_contacts, notes, requests


@dataclass(frozen=True, slots=True)
class NotesPage:
    """Part of a contact's notes."""

    notes: list[Note]
    next_place: tuple[datetime, str] | None
    """None after the last page."""


async def list_notes(
    means: Means, caller: Caller, contact_id: str, *, before: tuple[datetime, str], size: int
) -> NotesPage:
    """Part of a contact's notes, newest first. Raises: ContactNotFound."""
    async with means.database.read(caller.workspace) as reading:
        known = await known_contacts.get(reading, contact_id)
        # One more than shown tells whether there is another page.
        found = await notes.page(reading, known.id, before=before, size=size + 1)
    shown = found[:size]
    if len(found) == len(shown):
        return NotesPage(shown, None)
    return NotesPage(shown, (shown[-1].create_time, shown[-1].id))


async def create_note(
    means: Means, caller: Caller, contact_id: str, body: str, *, request_id: str
) -> Note:
    """Write a note. A repeat of the request gives it as it is now.

    Raises: ContactNotFound, ContactFull, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        known = await known_contacts.lock(transaction, contact_id)
        note = Note(new_id(), known.id, body, author_of(caller), at, at)
        done = await requests.remember(
            transaction,
            request_id,
            "CreateContactNote",
            contact_id,
            body,
            entity_id=note.id,
            at=at,
        )
        if done is not None:
            return await notes.get(transaction, done)
        if await notes.count(transaction, known.id, at_most=MAX_NOTES) == MAX_NOTES:
            raise ContactFull("notes", MAX_NOTES)
        await notes.add(transaction, note)
        kept = [audited.note_changed(None, note)]
        await audit.append(transaction, caller, audited.CREATE_NOTE, kept, at=at)
        told = events.note_changed(caller.workspace, note, author_of(caller))
        await publish(means, transaction, [told])
    return note


async def update_note(
    means: Means,
    caller: Caller,
    note_id: str,
    body: str,
    *,
    request_id: str,
    expected_version: int,
) -> Note:
    """Change what a note says. A repeat of the request gives it as it is now.

    Raises: ContactNoteNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        done = await requests.remember(
            transaction, request_id, "UpdateContactNote", note_id, body, entity_id=note_id, at=at
        )
        if done is not None:
            return await notes.get(transaction, done)
        before = await notes.lock(transaction, note_id)
        after = rules.changed(before, body, at, expected_version=expected_version)
        if after is not before:
            await notes.save(transaction, after)
            kept = [audited.note_changed(before, after)]
            await audit.append(transaction, caller, audited.UPDATE_NOTE, kept, at=at)
            told = events.note_changed(caller.workspace, after, author_of(caller))
            await publish(means, transaction, [told])
    return after


async def delete_note(
    means: Means, caller: Caller, note_id: str, *, request_id: str, expected_version: int
) -> Note:
    """Delete a note. A repeat of the request gives it as it was deleted.

    Raises: ContactNoteNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        done = await requests.remember(
            transaction, request_id, "DeleteContactNote", note_id, entity_id=note_id, at=at
        )
        if done is not None:
            return await notes.get(transaction, done)
        before = await notes.lock(transaction, note_id)
        after = rules.deleted(before, at, expected_version=expected_version)
        await notes.save(transaction, after)
        kept = [audited.note_changed(before, after)]
        await audit.append(transaction, caller, audited.DELETE_NOTE, kept, at=at)
        told = events.note_changed(caller.workspace, after, author_of(caller))
        await publish(means, transaction, [told])
    return after
