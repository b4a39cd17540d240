"""Exporting a contact: everything that is kept of it, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from chassis.auth import Caller
from chassis.ids import WorkspaceId
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.means import Means
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.notes import MAX_NOTES, Note
from services.conversation.model.profile import Profile
from services.conversation.store import conversations, known_contacts, notes
from services.conversation.store import erasing as store

BEFORE_ALL_NOTES = (datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
Record = Contact | Profile | Note | Conversation | messaging_v1.Message
"""One thing that is kept of a contact."""


class History(Protocol):
    """What was said."""

    async def messages(
        self, workspace_id: WorkspaceId, conversation_id: str, *, before_seq: int, size: int
    ) -> tuple[list[messaging_v1.Message], bool]:
        """Messages before a seq, 0 for all, newest first, and whether there are more.

        Raises: TemporarilyUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: in a conversation, at a message; at seq 0 before its newest.

    Before the first conversation its id is empty, and `seq` counts what was given of the contact.
    """

    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Some records, and where the next page begins; None after the last."""

    records: list[Record]
    next_place: Place | None


async def export_contact(
    means: Means,
    history: History,
    caller: Caller,
    contact_id: str,
    *,
    after: Place | None,
    page_size: int,
) -> ExportPage:
    """A page of what is kept: the contact and what is known of it, then each conversation with
    its messages.

    Raises: ContactNotFound, TemporarilyUnavailable.
    """
    async with means.database.read(caller.workspace) as reading:
        contact = await known_contacts.get(reading, contact_id)
        written = await notes.page(reading, contact.id, before=BEFORE_ALL_NOTES, size=MAX_NOTES)
        ids = await store.conversations_of(reading, contact.id)
        known = await conversations.by_id(reading, ids)
    place = after or Place("", 0)
    records: list[Record] = []
    if not place.conversation_id:
        of_contact: list[Record] = [contact.contact, contact.profile, *written]
        records += of_contact[place.seq : place.seq + page_size]
        place = Place("", place.seq + len(records))
        if place.seq < len(of_contact):
            return ExportPage(records, place)
    for conversation in (
        known[id_] for id_ in ids if id_ >= place.conversation_id and id_ in known
    ):
        if len(records) >= page_size:
            return ExportPage(records, place)
        if conversation.id != place.conversation_id:
            records.append(conversation)
            place = Place(conversation.id, 0)
        has_more = True
        while has_more:
            room = page_size - len(records)
            if room <= 0:
                return ExportPage(records, place)
            said, has_more = await history.messages(
                caller.workspace, conversation.id, before_seq=place.seq, size=room
            )
            records += said
            place = Place(conversation.id, said[-1].seq if said else place.seq)
    return ExportPage(records, None)
