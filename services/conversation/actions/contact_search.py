"""Finding contacts by name, and conversations by their contact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.auth import Caller
from chassis.database import Database
from chassis.ids import WorkspaceId
from services.conversation.actions.inbox import Page
from services.conversation.actions.means import Means
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.names import Span, highlights
from services.conversation.store import known_contacts, listing, names
from services.conversation.store.listing import Place
from services.conversation.store.names import NamePlace

CONVERSATIONS_SHOWN = 3
"""Of each contact that is found."""
INDEXED_AT_ONCE = 500
"""Contacts that are indexed in one transaction."""


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Part of the list of contacts."""

    contacts: list[Contact]
    next_place: NamePlace | None
    """None after the last page."""


@dataclass(frozen=True, slots=True)
class Found:
    """A contact, and why it was found."""

    contact: Contact
    highlights: list[Span]
    conversations: list[Conversation]
    """Its newest."""


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Part of what a search found; it may be short and not be the last."""

    found: list[Found]
    next_place: NamePlace | None
    """None after the last page."""


async def list_contacts(
    means: Means, caller: Caller, *, after: NamePlace, size: int
) -> ContactPage:
    """Part of the list of contacts, by name."""
    async with means.database.read(caller.workspace) as reading:
        # One more than shown tells whether there is another page.
        found = await names.page(reading, after, size + 1)
    shown = [contact for contact, _ in found[:size]]
    return ContactPage(shown, found[size - 1][1] if len(found) > size else None)


async def search_contacts(
    means: Means, caller: Caller, beginnings: Sequence[str], *, after: NamePlace, size: int
) -> FoundPage:
    """A page of the contacts whose names have words with all of these beginnings."""
    async with means.database.read(caller.workspace) as reading:
        # No beginning begins another one, so a place tells which of them has led to it.
        leading = next((one for one in beginnings if after.text.startswith(one)), None)
        leading = leading or await names.rarest(reading, beginnings)
        others = [one for one in beginnings if one != leading]
        walked = await names.walk(reading, leading, others, after=after, size=size)
        known = await known_contacts.by_id(reading, walked.contact_ids)
        newest = await listing.newest_of(reading, walked.contact_ids, CONVERSATIONS_SHOWN)
    found = [
        Found(contact, highlights(contact.display_name, beginnings), newest.get(contact.id, []))
        for contact in (known[contact_id].contact for contact_id in walked.contact_ids)
    ]
    return FoundPage(found, walked.next_place)


async def list_contact_conversations(
    means: Means, caller: Caller, contact_id: str, *, after: Place, size: int
) -> Page:
    """A contact's conversations in any folder, newest activity first. Raises: ContactNotFound."""
    async with means.database.read(caller.workspace) as reading:
        known = await known_contacts.get(reading, contact_id)
        # One more than shown tells whether there is another page.
        found = await listing.page_of_contact(reading, known.id, after=after, size=size + 1)
    shown = found[:size]
    if len(found) == len(shown):
        return Page(shown, None)
    return Page(shown, Place(shown[-1].last_activity_time, shown[-1].id))


async def index_names(worker: Database, workspace_id: WorkspaceId) -> None:
    """Let contacts be sorted and found by name that an older version of this program saved."""
    indexed = INDEXED_AT_ONCE
    while indexed == INDEXED_AT_ONCE:
        async with worker.begin(workspace_id) as transaction:
            indexed = await names.index_unnamed(transaction, INDEXED_AT_ONCE)
