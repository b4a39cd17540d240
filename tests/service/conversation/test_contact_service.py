"""ContactService on a loopback port, as clients meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc import RemoteFault, remote_fault
from inbox.conversation import v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.model.authors import AuthorKind
from services.conversation.service.contacts import ContactService
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Desk
from tests.serving import Serving, serving

READING = {Role.OWNER, Role.AGENT, Role.READ_ONLY, Role.BOT, Role.SERVICE}
PEOPLE = {Role.OWNER, Role.AGENT}
WRITING = {Role.OWNER, Role.AGENT, Role.BOT}
ALLOWED = {
    "GetContact": READING,
    "ListContacts": READING,
    "SearchContacts": READING,
    "ListContactConversations": READING,
    "UpdateContact": PEOPLE,
    "MergeContacts": PEOPLE,
    "TagContact": WRITING,
    "UntagContact": WRITING,
    "SetContactField": WRITING,
    "DeleteContactField": PEOPLE,
    "RecordConsent": WRITING,
    "ListContactNotes": READING,
    "CreateContactNote": PEOPLE,
    "UpdateContactNote": PEOPLE,
    "DeleteContactNote": PEOPLE,
}


@pytest.fixture
def contacts(desk: Desk) -> Contacts:
    return Contacts(desk)


@pytest.fixture
async def server(desk: Desk) -> AsyncIterator[Serving]:
    adding = v1.add_ContactServiceServicer_to_server
    async with serving((adding, ContactService(desk.means))) as server:
        yield server


@pytest.fixture
def stub(server: Serving, desk: Desk) -> v1.ContactServiceStub:
    return v1.ContactServiceStub(server.channel(Role.AGENT, desk.workspace_id))


async def refusal(call: Awaitable[Any]) -> RemoteFault:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return remote_fault(refused.value)


async def test_a_member_gets_to_know_a_customer(
    stub: v1.ContactServiceStub, contacts: Contacts
) -> None:
    customer, contact_id = await contacts.met("ana_1999")
    who: dict[str, Any] = {"contact_id": contact_id}

    await stub.UpdateContact(
        v1.UpdateContactRequest(
            **who,
            request_id=new_id(),
            display_name="  Ana García ",
            email="ana@example.com",
            phone="+34 600-111-222",
            language="es",
        )
    )
    await stub.SetContactField(
        v1.SetContactFieldRequest(
            source_conversation_id=customer.conversation_id,
            source_seq=1,
            request_id=new_id(),
            key="city",
            value="Vigo",
        )
    )
    await stub.RecordConsent(
        v1.RecordConsentRequest(
            **who,
            request_id=new_id(),
            purpose="marketing",
            state=v1.CONSENT_STATE_GRANTED,
            source="form on the website",
        )
    )
    await stub.CreateContactNote(
        v1.CreateContactNoteRequest(**who, request_id=new_id(), body="Prefers tea.")
    )

    got = await stub.GetContact(v1.GetContactRequest(**who))
    notes = await stub.ListContactNotes(v1.ListContactNotesRequest(**who))
    found = await stub.SearchContacts(v1.SearchContactsRequest(query="GARCIA"))
    talks = await stub.ListContactConversations(v1.ListContactConversationsRequest(**who))

    assert (got.contact.display_name, got.contact.version) == ("Ana García", 4)
    assert (got.profile.email, got.profile.phone) == ("ana@example.com", "+34600111222")
    [field], [consent] = got.profile.fields, got.profile.consents
    assert (field.key, field.value, field.source_seq) == ("city", "Vigo", 1)
    assert (consent.purpose, consent.source) == ("marketing", "form on the website")
    assert [note.body for note in notes.notes] == ["Prefers tea."]
    [hit] = found.contacts
    assert (hit.contact, hit.conversations[0].id) == (got.contact, customer.conversation_id)
    assert [(one.start, one.length) for one in hit.highlights] == [(4, 6)]
    assert [one.id for one in talks.conversations] == [customer.conversation_id]


async def test_what_is_left_out_of_an_update_stays_and_what_is_empty_goes(
    stub: v1.ContactServiceStub, contacts: Contacts
) -> None:
    _, contact_id = await contacts.met("ana_1999")
    await contacts.update(
        contact_id, display_name="Ana", email="ana@example.com", phone="600111222"
    )

    updated = await stub.UpdateContact(
        v1.UpdateContactRequest(
            contact_id=contact_id, request_id=new_id(), display_name=" ", email=""
        )
    )

    assert updated.contact.display_name == "ana_1999"
    assert (updated.profile.email, updated.profile.phone) == ("", "600111222")


async def test_pages_follow_their_tokens_and_no_others(
    stub: v1.ContactServiceStub, contacts: Contacts
) -> None:
    for name in ("Ana", "Anabel", "Andrés"):
        _, contact_id = await contacts.met(name)
    for number in range(3):
        await contacts.note(contact_id, f"Note {number}")

    listed = await stub.ListContacts(v1.ListContactsRequest(page_size=2))
    rest = await stub.ListContacts(
        v1.ListContactsRequest(page_size=2, page_token=listed.next_page_token)
    )
    found = await stub.SearchContacts(v1.SearchContactsRequest(query="an", page_size=2))
    others = await stub.SearchContacts(
        v1.SearchContactsRequest(query="AN", page_size=2, page_token=found.next_page_token)
    )
    notes = await stub.ListContactNotes(
        v1.ListContactNotesRequest(contact_id=contact_id, page_size=2)
    )
    older = await stub.ListContactNotes(
        v1.ListContactNotesRequest(contact_id=contact_id, page_token=notes.next_page_token)
    )

    assert [one.display_name for one in (*listed.contacts, *rest.contacts)] == [
        "Ana",
        "Anabel",
        "Andrés",
    ]
    assert [one.contact.display_name for one in (*found.contacts, *others.contacts)] == [
        "Ana",
        "Anabel",
        "Andrés",
    ]
    assert [note.body for note in (*notes.notes, *older.notes)] == ["Note 2", "Note 1", "Note 0"]
    assert (rest.next_page_token, others.next_page_token, older.next_page_token) == ("", "", "")
    for request in (
        v1.SearchContactsRequest(query="eva", page_token=found.next_page_token),
        v1.SearchContactsRequest(query="an", page_token=listed.next_page_token),
    ):
        assert (await refusal(stub.SearchContacts(request))).reason == "PAGE_TOKEN_INVALID"


async def test_the_ai_says_what_it_read_as_itself(
    desk: Desk, server: Serving, contacts: Contacts
) -> None:
    customer, _ = await contacts.met()
    ai = v1.ContactServiceStub(server.channel(Role.BOT, desk.workspace_id))

    kept = await ai.SetContactField(
        v1.SetContactFieldRequest(
            source_conversation_id=customer.conversation_id,
            request_id=new_id(),
            key="city",
            value="Vigo",
        )
    )
    await contacts.set_field(kept.contact.id, "city", "Lugo")
    refused = await refusal(
        ai.SetContactField(
            v1.SetContactFieldRequest(
                contact_id=kept.contact.id, request_id=new_id(), key="city", value="Vigo"
            )
        )
    )

    known = await contacts.get(kept.contact.id)
    assert kept.profile.fields[0].author.kind == messaging_v1.AUTHOR_KIND_AI
    assert known.profile.fields[0].author.kind is AuthorKind.MEMBER
    assert (refused.reason, refused.metadata) == ("CONTACT_FIELD_OF_MEMBER", {"key": "city"})


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", ALLOWED)
async def test_each_method_is_for_the_roles_of_its_policy(
    desk: Desk, server: Serving, contacts: Contacts, role: Role, method: str
) -> None:
    _, contact_id = await contacts.met()
    _, other_id = await contacts.met()
    tag = await desk.create_tag(new_id())
    await contacts.set_field(contact_id, "city", "Vigo")
    note = await contacts.note(contact_id, "Prefers tea.")
    who: dict[str, Any] = {"contact_id": contact_id}
    ask: dict[str, Any] = {"request_id": new_id()}
    request = {
        "GetContact": v1.GetContactRequest(**who),
        "ListContacts": v1.ListContactsRequest(),
        "SearchContacts": v1.SearchContactsRequest(query="ana"),
        "ListContactConversations": v1.ListContactConversationsRequest(**who),
        "UpdateContact": v1.UpdateContactRequest(**who, **ask, language="es"),
        "MergeContacts": v1.MergeContactsRequest(**who, **ask, merged_contact_id=other_id),
        "TagContact": v1.TagContactRequest(**who, **ask, tag=tag.id),
        "UntagContact": v1.UntagContactRequest(**who, **ask, tag=tag.id),
        "SetContactField": v1.SetContactFieldRequest(**who, **ask, key="size", value="M"),
        "DeleteContactField": v1.DeleteContactFieldRequest(**who, **ask, key="city"),
        "RecordConsent": v1.RecordConsentRequest(
            **who, **ask, purpose="news", state=v1.CONSENT_STATE_GRANTED, source="said so"
        ),
        "ListContactNotes": v1.ListContactNotesRequest(**who),
        "CreateContactNote": v1.CreateContactNoteRequest(**who, **ask, body="Prefers tea."),
        "UpdateContactNote": v1.UpdateContactNoteRequest(note_id=note.id, **ask, body="Or not."),
        "DeleteContactNote": v1.DeleteContactNoteRequest(note_id=note.id, **ask),
    }[method]
    stub = v1.ContactServiceStub(server.channel(role, desk.workspace_id))
    call: Callable[[Any], Awaitable[Any]] = getattr(stub, method)

    if role in ALLOWED[method]:
        await call(request)
    else:
        assert (await refusal(call(request))).reason == "ROLE_NOT_ALLOWED"


WHO: dict[str, Any] = {"contact_id": new_id()}
ASK: dict[str, Any] = {"request_id": new_id()}
LONG_NAME = "x" * 81
CONSENT: dict[str, Any] = {
    **WHO,
    **ASK,
    "purpose": "news",
    "state": v1.CONSENT_STATE_GRANTED,
    "source": "said so",
}


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("GetContact", v1.GetContactRequest(), "contact_id"),
        ("ListContacts", v1.ListContactsRequest(page_size=-1), "page_size"),
        ("SearchContacts", v1.SearchContactsRequest(), "query"),
        ("SearchContacts", v1.SearchContactsRequest(query="x" * 201), "query"),
        ("UpdateContact", v1.UpdateContactRequest(**WHO), "request_id"),
        (
            "UpdateContact",
            v1.UpdateContactRequest(**WHO, **ASK, display_name="x" * 81),
            "display_name",
        ),
        ("UpdateContact", v1.UpdateContactRequest(**WHO, **ASK, email="ana"), "email"),
        ("UpdateContact", v1.UpdateContactRequest(**WHO, **ASK, phone="one"), "phone"),
        ("UpdateContact", v1.UpdateContactRequest(**WHO, **ASK, language="español"), "language"),
        ("MergeContacts", v1.MergeContactsRequest(**WHO, **ASK), "merged_contact_id"),
        ("TagContact", v1.TagContactRequest(**WHO, **ASK), "tag"),
        ("SetContactField", v1.SetContactFieldRequest(**ASK, key="city", value="x"), "contact_id"),
        ("SetContactField", v1.SetContactFieldRequest(**WHO, **ASK, key="my city"), "key"),
        ("SetContactField", v1.SetContactFieldRequest(**WHO, **ASK, key="city"), "value"),
        (
            "SetContactField",
            v1.SetContactFieldRequest(**WHO, **ASK, key="city", value="x" * 1001),
            "value",
        ),
        ("DeleteContactField", v1.DeleteContactFieldRequest(**WHO, **ASK), "key"),
        (
            "RecordConsent",
            v1.RecordConsentRequest(**CONSENT | {"purpose": "A"}),
            "purpose",
        ),
        ("RecordConsent", v1.RecordConsentRequest(**CONSENT | {"state": 0}), "state"),
        (
            "RecordConsent",
            v1.RecordConsentRequest(**CONSENT | {"source": ""}),
            "source",
        ),
        ("CreateContactNote", v1.CreateContactNoteRequest(**WHO, **ASK, body=" "), "body"),
        ("CreateContactNote", v1.CreateContactNoteRequest(**WHO, **ASK, body="x" * 5001), "body"),
        ("UpdateContactNote", v1.UpdateContactNoteRequest(**ASK, body="x"), "note_id"),
        ("DeleteContactNote", v1.DeleteContactNoteRequest(note_id=new_id()), "request_id"),
    ],
)
async def test_a_request_that_cannot_be_right_is_refused_by_its_field(
    stub: v1.ContactServiceStub, method: str, request_: Any, field: str
) -> None:
    refused = await refusal(getattr(stub, method)(request_))

    assert (refused.reason, refused.metadata["field"]) == ("INVALID_ARGUMENT", field)


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("GetContact", v1.GetContactRequest(**WHO), "CONTACT_NOT_FOUND"),
        (
            "MergeContacts",
            v1.MergeContactsRequest(**WHO, **ASK, merged_contact_id=WHO["contact_id"]),
            "CONTACT_MERGED_INTO_ITSELF",
        ),
        (
            "TagContact",
            v1.TagContactRequest(**WHO, **ASK, tag="priority"),
            "PRIORITY_NOT_FOR_CONTACTS",
        ),
        ("TagContact", v1.TagContactRequest(**WHO, **ASK, tag="none"), "TAG_NOT_FOUND"),
        (
            "DeleteContactNote",
            v1.DeleteContactNoteRequest(note_id=new_id(), **ASK),
            "CONTACT_NOTE_NOT_FOUND",
        ),
        ("SearchContacts", v1.SearchContactsRequest(query="…"), "QUERY_WITHOUT_WORDS"),
        (
            "SearchContacts",
            v1.SearchContactsRequest(query="a b c d e f g h i"),
            "QUERY_TOO_MANY_WORDS",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    stub: v1.ContactServiceStub, method: str, request_: Any, reason: str
) -> None:
    assert (await refusal(getattr(stub, method)(request_))).reason == reason
