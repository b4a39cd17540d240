"""ContactService: what the workspace knows of its customers."""

from __future__ import annotations

from typing import TypedDict

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions import contact_notes, contact_search, contacts
from services.conversation.actions.means import Means
from services.conversation.mapping import channel_kind_from, contact_to, conversation_to
from services.conversation.mapping.contacts import (
    consent_state_from,
    consent_time_from,
    found_to,
    note_to,
    profile_to,
)
from services.conversation.model.names import MAX_QUERY_CHARACTERS, query_words
from services.conversation.model.notes import body_of
from services.conversation.model.profile import (
    MAX_CONSENT_SOURCE_CHARACTERS,
    MAX_DISPLAY_NAME_CHARACTERS,
    KnownContact,
    email_of,
    field_key_of,
    field_value_of,
    language_of,
    phone_of,
    purpose_of,
)
from services.conversation.service.fields import (
    id_in_token,
    not_negative,
    tag_name,
    text_in_token,
    time_in_token,
)
from services.conversation.store.listing import BEFORE_ALL, Place
from services.conversation.store.names import BEFORE_ALL_NAMES, NamePlace

MAX_FOUND = 50


class ContactService(conversation_v1.ContactServiceServicer):
    """What the workspace knows of its customers."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def GetContact(
        self, request: conversation_v1.GetContactRequest, context: Context
    ) -> conversation_v1.GetContactResponse:
        """Gets one contact."""
        known = await contacts.get_contact(
            self._means, require_caller(), parse_id("contact_id", request.contact_id)
        )
        return conversation_v1.GetContactResponse(**_as_now(known))

    async def ListContacts(
        self, request: conversation_v1.ListContactsRequest, context: Context
    ) -> conversation_v1.ListContactsResponse:
        """Lists contacts by name."""
        query = ("ListContacts",)
        position = paging.position_in(request.page_token, query, (text_in_token, id_in_token))
        page = await contact_search.list_contacts(
            self._means,
            require_caller(),
            after=NamePlace(*position) if position else BEFORE_ALL_NAMES,
            size=requests.page_size(request.page_size),
        )
        return conversation_v1.ListContactsResponse(
            contacts=map(contact_to, page.contacts),
            next_page_token=_token(query, page.next_place),
        )

    async def SearchContacts(
        self, request: conversation_v1.SearchContactsRequest, context: Context
    ) -> conversation_v1.SearchContactsResponse:
        """Finds contacts by name, each with its newest conversations."""
        if not 1 <= len(request.query) <= MAX_QUERY_CHARACTERS:
            raise FieldInvalid("query", f"must have 1 to {MAX_QUERY_CHARACTERS} characters")
        beginnings = query_words(request.query)
        query = ("SearchContacts", *beginnings)
        position = paging.position_in(request.page_token, query, (text_in_token, id_in_token))
        page = await contact_search.search_contacts(
            self._means,
            require_caller(),
            beginnings,
            after=NamePlace(*position) if position else BEFORE_ALL_NAMES,
            size=requests.page_size(request.page_size, default=20, at_most=MAX_FOUND),
        )
        return conversation_v1.SearchContactsResponse(
            contacts=[
                found_to(found.contact, found.highlights, found.conversations)
                for found in page.found
            ],
            next_page_token=_token(query, page.next_place),
        )

    async def ListContactConversations(
        self, request: conversation_v1.ListContactConversationsRequest, context: Context
    ) -> conversation_v1.ListContactConversationsResponse:
        """Lists a contact's conversations on all of its identities, newest activity first."""
        contact_id = parse_id("contact_id", request.contact_id)
        query = ("ListContactConversations", contact_id)
        position = paging.position_in(request.page_token, query, (time_in_token, id_in_token))
        page = await contact_search.list_contact_conversations(
            self._means,
            require_caller(),
            contact_id,
            after=Place(*position) if position else BEFORE_ALL,
            size=requests.page_size(request.page_size),
        )
        following = page.next_place
        return conversation_v1.ListContactConversationsResponse(
            conversations=map(conversation_to, page.conversations),
            next_page_token=paging.next_token(
                query, (following.last_activity_time.isoformat(), following.conversation_id)
            )
            if following
            else "",
        )

    async def UpdateContact(
        self, request: conversation_v1.UpdateContactRequest, context: Context
    ) -> conversation_v1.UpdateContactResponse:
        """Changes a contact's name, e-mail address, phone number or language."""
        known = await contacts.update_contact(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            request_id=parse_id("request_id", request.request_id),
            display_name=_name(request.display_name) if request.HasField("display_name") else None,
            email=email_of(request.email) if request.HasField("email") else None,
            phone=phone_of(request.phone) if request.HasField("phone") else None,
            language=language_of(request.language) if request.HasField("language") else None,
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UpdateContactResponse(**_as_now(known))

    async def MergeContacts(
        self, request: conversation_v1.MergeContactsRequest, context: Context
    ) -> conversation_v1.MergeContactsResponse:
        """Makes one contact part of another."""
        known = await contacts.merge_contacts(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            parse_id("merged_contact_id", request.merged_contact_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
            expected_merged_version=not_negative(
                "expected_merged_version", request.expected_merged_version
            ),
        )
        return conversation_v1.MergeContactsResponse(**_as_now(known))

    async def TagContact(
        self, request: conversation_v1.TagContactRequest, context: Context
    ) -> conversation_v1.TagContactResponse:
        """Gives a contact a label."""
        known = await contacts.tag_contact(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.TagContactResponse(**_as_now(known))

    async def UntagContact(
        self, request: conversation_v1.UntagContactRequest, context: Context
    ) -> conversation_v1.UntagContactResponse:
        """Takes a label from a contact."""
        known = await contacts.untag_contact(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UntagContactResponse(**_as_now(known))

    async def SetContactField(
        self, request: conversation_v1.SetContactFieldRequest, context: Context
    ) -> conversation_v1.SetContactFieldResponse:
        """Writes down a detail of a contact."""
        conversation_id = request.source_conversation_id
        if conversation_id:
            conversation_id = parse_id("source_conversation_id", conversation_id)
        contact_id = request.contact_id
        if contact_id or not conversation_id:
            contact_id = parse_id("contact_id", contact_id)
        known = await contacts.set_field(
            self._means,
            require_caller(),
            contact_id,
            request_id=parse_id("request_id", request.request_id),
            key=field_key_of(request.key),
            value=field_value_of(request.value),
            source_conversation_id=conversation_id,
            source_seq=not_negative("source_seq", request.source_seq),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.SetContactFieldResponse(**_as_now(known))

    async def DeleteContactField(
        self, request: conversation_v1.DeleteContactFieldRequest, context: Context
    ) -> conversation_v1.DeleteContactFieldResponse:
        """Forgets a detail of a contact."""
        known = await contacts.delete_field(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            field_key_of(request.key),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.DeleteContactFieldResponse(**_as_now(known))

    async def RecordConsent(
        self, request: conversation_v1.RecordConsentRequest, context: Context
    ) -> conversation_v1.RecordConsentResponse:
        """Writes down what a contact said about being contacted."""
        is_timed = request.HasField("consent_time")
        known = await contacts.record_consent(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            request_id=parse_id("request_id", request.request_id),
            purpose=purpose_of(request.purpose),
            channel_kind=channel_kind_from(request.channel_kind),
            state=consent_state_from(request.state),
            source=requests.text("source", request.source, at_most=MAX_CONSENT_SOURCE_CHARACTERS),
            consent_time=consent_time_from(request.consent_time) if is_timed else None,
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.RecordConsentResponse(**_as_now(known))

    async def ListContactNotes(
        self, request: conversation_v1.ListContactNotesRequest, context: Context
    ) -> conversation_v1.ListContactNotesResponse:
        """Lists a contact's notes, newest first."""
        contact_id = parse_id("contact_id", request.contact_id)
        query = ("ListContactNotes", contact_id)
        position = paging.position_in(request.page_token, query, (time_in_token, id_in_token))
        page = await contact_notes.list_notes(
            self._means,
            require_caller(),
            contact_id,
            before=position or (BEFORE_ALL.last_activity_time, BEFORE_ALL.conversation_id),
            size=requests.page_size(request.page_size),
        )
        token = ""
        if page.next_place:
            create_time, note_id = page.next_place
            token = paging.next_token(query, (create_time.isoformat(), note_id))
        return conversation_v1.ListContactNotesResponse(
            notes=map(note_to, page.notes), next_page_token=token
        )

    async def CreateContactNote(
        self, request: conversation_v1.CreateContactNoteRequest, context: Context
    ) -> conversation_v1.CreateContactNoteResponse:
        """Writes a note on a contact."""
        note = await contact_notes.create_note(
            self._means,
            require_caller(),
            parse_id("contact_id", request.contact_id),
            body_of(request.body),
            request_id=parse_id("request_id", request.request_id),
        )
        return conversation_v1.CreateContactNoteResponse(note=note_to(note))

    async def UpdateContactNote(
        self, request: conversation_v1.UpdateContactNoteRequest, context: Context
    ) -> conversation_v1.UpdateContactNoteResponse:
        """Changes what a note says."""
        note = await contact_notes.update_note(
            self._means,
            require_caller(),
            parse_id("note_id", request.note_id),
            body_of(request.body),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UpdateContactNoteResponse(note=note_to(note))

    async def DeleteContactNote(
        self, request: conversation_v1.DeleteContactNoteRequest, context: Context
    ) -> conversation_v1.DeleteContactNoteResponse:
        """Deletes a note."""
        note = await contact_notes.delete_note(
            self._means,
            require_caller(),
            parse_id("note_id", request.note_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.DeleteContactNoteResponse(note=note_to(note))


class _AsNow(TypedDict):
    contact: conversation_v1.Contact
    profile: conversation_v1.ContactProfile


def _as_now(known: KnownContact) -> _AsNow:
    return {"contact": contact_to(known.contact), "profile": profile_to(known.profile)}


def _name(value: str) -> str:
    """A name; empty for what the channel calls them. Raises: FieldInvalid."""
    if not value.strip():
        return ""
    return requests.text("display_name", value, at_most=MAX_DISPLAY_NAME_CHARACTERS)


def _token(query: tuple[str, ...], place: NamePlace | None) -> str:
    return paging.next_token(query, (place.text, place.contact_id)) if place else ""
