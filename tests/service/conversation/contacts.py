"""What tests of contacts say on top of the desk's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.auth import Caller
from chassis.ids import new_id
from services.conversation.actions import contact_notes, contact_search, contacts
from services.conversation.model.contact import Contact
from services.conversation.model.names import query_words
from services.conversation.model.notes import Note
from services.conversation.model.profile import ConsentState, KnownContact
from services.conversation.model.thread import ChannelKind
from services.conversation.store.names import BEFORE_ALL_NAMES
from tests.service.conversation.desk import Customer, Desk, a_customer

END_OF_NOTES = (datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


@dataclass(slots=True)
class Contacts:
    """The contacts of one workspace, as its people work with them."""

    desk: Desk

    async def met(self, name: str = "Ana", **options: Any) -> tuple[Customer, str]:
        """A customer who wrote once, and their contact's id."""
        customer = a_customer(name, **options)
        await self.desk.apply(customer.opens(), customer.writes())
        return customer, (await self.desk.get(customer.conversation_id)).contact.id

    async def get(self, contact_id: str) -> KnownContact:
        return await contacts.get_contact(self.desk.means, self.desk.agent, contact_id)

    async def update(
        self,
        contact_id: str,
        *,
        request_id: str | None = None,
        display_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        language: str | None = None,
        expected_version: int = 0,
    ) -> KnownContact:
        return await contacts.update_contact(
            self.desk.means,
            self.desk.agent,
            contact_id,
            request_id=request_id or new_id(),
            display_name=display_name,
            email=email,
            phone=phone,
            language=language,
            expected_version=expected_version,
        )

    async def tag(self, contact_id: str, tag: str) -> KnownContact:
        return await contacts.tag_contact(
            self.desk.means,
            self.desk.agent,
            contact_id,
            tag,
            request_id=new_id(),
            expected_version=0,
        )

    async def untag(self, contact_id: str, tag: str) -> KnownContact:
        return await contacts.untag_contact(
            self.desk.means,
            self.desk.agent,
            contact_id,
            tag,
            request_id=new_id(),
            expected_version=0,
        )

    async def set_field(
        self,
        contact_id: str,
        key: str,
        value: str,
        *,
        by: Caller | None = None,
        request_id: str | None = None,
        source_conversation_id: str = "",
        source_seq: int = 0,
    ) -> KnownContact:
        return await contacts.set_field(
            self.desk.means,
            by or self.desk.agent,
            contact_id,
            request_id=request_id or new_id(),
            key=key,
            value=value,
            source_conversation_id=source_conversation_id,
            source_seq=source_seq,
            expected_version=0,
        )

    async def delete_field(self, contact_id: str, key: str) -> KnownContact:
        return await contacts.delete_field(
            self.desk.means,
            self.desk.agent,
            contact_id,
            key,
            request_id=new_id(),
            expected_version=0,
        )

    async def consent(
        self,
        contact_id: str,
        purpose: str,
        state: ConsentState,
        *,
        channel_kind: ChannelKind | None = None,
        consent_time: datetime | None = None,
    ) -> KnownContact:
        return await contacts.record_consent(
            self.desk.means,
            self.desk.agent,
            contact_id,
            request_id=new_id(),
            purpose=purpose,
            channel_kind=channel_kind,
            state=state,
            source="said so",
            consent_time=consent_time,
            expected_version=0,
        )

    async def merge(
        self,
        contact_id: str,
        merged_id: str,
        *,
        request_id: str | None = None,
        expected_version: int = 0,
        expected_merged_version: int = 0,
    ) -> KnownContact:
        return await contacts.merge_contacts(
            self.desk.means,
            self.desk.agent,
            contact_id,
            merged_id,
            request_id=request_id or new_id(),
            expected_version=expected_version,
            expected_merged_version=expected_merged_version,
        )

    async def note(self, contact_id: str, body: str, *, request_id: str | None = None) -> Note:
        return await contact_notes.create_note(
            self.desk.means, self.desk.agent, contact_id, body, request_id=request_id or new_id()
        )

    async def rewrite(self, note_id: str, body: str, *, expected_version: int = 0) -> Note:
        return await contact_notes.update_note(
            self.desk.means,
            self.desk.agent,
            note_id,
            body,
            request_id=new_id(),
            expected_version=expected_version,
        )

    async def delete_note(self, note_id: str, *, request_id: str | None = None) -> Note:
        return await contact_notes.delete_note(
            self.desk.means,
            self.desk.agent,
            note_id,
            request_id=request_id or new_id(),
            expected_version=0,
        )

    async def notes(self, contact_id: str, *, size: int = 50) -> list[Note]:
        """All of them, page by page."""
        found: list[Note] = []
        before: tuple[datetime, str] | None = END_OF_NOTES
        while before is not None:
            page = await contact_notes.list_notes(
                self.desk.means, self.desk.agent, contact_id, before=before, size=size
            )
            found += page.notes
            before = page.next_place
        return found

    async def listed(self, *, size: int = 50) -> list[Contact]:
        """All of them by name, page by page."""
        found: list[Contact] = []
        after = BEFORE_ALL_NAMES
        while True:
            page = await contact_search.list_contacts(
                self.desk.means, self.desk.agent, after=after, size=size
            )
            found += page.contacts
            if page.next_place is None:
                return found
            after = page.next_place

    async def found(self, query: str, *, size: int = 20) -> list[contact_search.Found]:
        """Everything a search finds, page by page."""
        found: list[contact_search.Found] = []
        after = BEFORE_ALL_NAMES
        while True:
            page = await contact_search.search_contacts(
                self.desk.means, self.desk.agent, query_words(query), after=after, size=size
            )
            found += page.found
            if page.next_place is None:
                return found
            after = page.next_place

    async def names_found(self, query: str, *, size: int = 20) -> list[str]:
        return [one.contact.display_name for one in await self.found(query, size=size)]
