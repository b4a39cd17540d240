"""What is known of a contact: each change is one event and one entry of the audit, done once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.auth import Role
from chassis.errors import FieldInvalid, IdempotencyKeyReused, VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import contact_to
from services.conversation.mapping.contacts import profile_to
from services.conversation.model.authors import AuthorKind
from services.conversation.model.faults import (
    ContactFieldNotFound,
    ContactFieldOfMember,
    ContactFull,
    ContactNotFound,
    ConversationNotFound,
    PriorityNotForContacts,
    TagNotFound,
)
from services.conversation.model.profile import (
    MAX_FIELDS,
    MAX_TAGS_ON_CONTACT,
    ConsentState,
    KnownContact,
)
from services.conversation.model.thread import ChannelKind
from tests.audited import kept_in
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import FIRST_DAY, Desk

GRANTED, WITHDRAWN = ConsentState.GRANTED, ConsentState.WITHDRAWN


@pytest.fixture
def contacts(desk: Desk) -> Contacts:
    return Contacts(desk)


async def told(desk: Desk) -> list[conversation_v1.ContactChanged]:
    """Every ContactChanged so far."""
    return [
        event
        for event in await desk.published()
        if isinstance(event, conversation_v1.ContactChanged)
    ]


async def test_nothing_is_known_of_somebody_who_has_just_written(contacts: Contacts) -> None:
    _, contact_id = await contacts.met("Ana")

    known = await contacts.get(contact_id)

    assert (known.contact.display_name, known.contact.version) == ("Ana", 1)
    assert profile_to(known.profile) == conversation_v1.ContactProfile()


async def test_an_update_changes_what_is_given_and_nothing_else(
    desk: Desk, contacts: Contacts
) -> None:
    _, contact_id = await contacts.met("Ana")

    await contacts.update(contact_id, email="ana@example.com", phone="+34600111222")
    known = await contacts.update(contact_id, display_name="Ana García", language="es-AR")

    assert known.contact.display_name == "Ana García"
    assert (known.profile.email, known.profile.phone) == ("ana@example.com", "+34600111222")
    assert (known.contact.version, known.profile.version) == (3, 3)
    assert await contacts.get(contact_id) == known
    first, second = await told(desk)
    assert second.contact == contact_to(known.contact)
    assert second.profile == profile_to(known.profile)
    assert second.author.display_name == "Bea"
    assert (first.profile.email, first.profile.language) == ("ana@example.com", "")
    updated, renamed = await kept_in(desk.means.database, desk.workspace_id)
    assert (updated.command, updated.actor) == ("ContactService/UpdateContact", "member Bea")
    assert updated.before == {"email": "", "phone": ""}
    assert renamed.after == {"display_name": "Ana García", "language": "es-AR"}


async def test_a_repeat_or_an_update_of_nothing_changes_and_tells_nothing(
    desk: Desk, contacts: Contacts
) -> None:
    _, contact_id = await contacts.met()
    request_id = new_id()

    await contacts.update(contact_id, email="ana@example.com", request_id=request_id)
    await contacts.update(contact_id, email="ana@example.org")
    late = await contacts.update(contact_id, email="ana@example.com", request_id=request_id)
    same = await contacts.update(contact_id, email="ana@example.org")

    assert late == same
    assert (late.profile.email, late.contact.version) == ("ana@example.org", 3)
    assert len(await told(desk)) == 2
    assert len(await kept_in(desk.means.database, desk.workspace_id)) == 2
    with pytest.raises(IdempotencyKeyReused):
        await contacts.update(contact_id, email="other@example.com", request_id=request_id)


async def test_an_update_of_what_has_changed_meanwhile_is_refused(contacts: Contacts) -> None:
    _, contact_id = await contacts.met()
    await contacts.update(contact_id, email="ana@example.com")

    with pytest.raises(VersionConflict):
        await contacts.update(contact_id, phone="600111222", expected_version=1)

    known = await contacts.update(contact_id, phone="600111222", expected_version=2)
    assert known.contact.version == 3


async def test_a_name_a_person_gave_stays_until_they_give_it_back_to_the_channel(
    desk: Desk, contacts: Contacts
) -> None:
    customer, contact_id = await contacts.met("ana_1999")

    await contacts.update(contact_id, display_name="Ana García")
    await desk.apply(customer.is_called("ana_2000"))
    kept = await contacts.get(contact_id)
    given_back = await contacts.update(contact_id, display_name="")
    await desk.apply(customer.is_called("ana_2001"))

    assert kept.contact.display_name == "Ana García"
    assert given_back.contact.display_name == "ana_2000"
    assert (await contacts.get(contact_id)).contact.display_name == "ana_2001"


async def test_labels_are_the_workspaces_tags_and_never_the_star(
    desk: Desk, contacts: Contacts
) -> None:
    _, contact_id = await contacts.met()
    vip = await desk.create_tag("VIP")

    tagged = await contacts.tag(contact_id, "vip")
    again = await contacts.tag(contact_id, vip.id)
    untagged = await contacts.untag(contact_id, vip.key)

    assert tagged.profile.tag_ids == again.profile.tag_ids == (vip.id,)
    assert untagged.profile.tag_ids == ()
    assert len(await told(desk)) == 2
    with pytest.raises(PriorityNotForContacts):
        await contacts.tag(contact_id, "prioritario")
    with pytest.raises(TagNotFound):
        await contacts.tag(contact_id, "never-made")


async def test_a_deleted_label_makes_room_with_the_next_one(desk: Desk, contacts: Contacts) -> None:
    _, contact_id = await contacts.met()
    made = [await desk.create_tag(f"label {number}") for number in range(MAX_TAGS_ON_CONTACT + 1)]
    for tag in made[:-1]:
        await contacts.tag(contact_id, tag.id)

    with pytest.raises(ContactFull):
        await contacts.tag(contact_id, made[-1].id)
    await desk.delete_tag(made[0].id)
    known = await contacts.tag(contact_id, made[-1].id)

    assert set(known.profile.tag_ids) == {tag.id for tag in made[1:]}


async def test_the_ai_writes_details_down_but_never_over_what_a_member_wrote(
    desk: Desk, contacts: Contacts
) -> None:
    customer, contact_id = await contacts.met()
    ai = desk.caller(Role.BOT)

    read = await contacts.set_field(
        "",
        "city",
        "Vigo",
        by=ai,
        source_conversation_id=customer.conversation_id,
        source_seq=1,
    )
    corrected = await contacts.set_field(contact_id, "city", "Lugo")

    assert read.id == contact_id
    [field] = read.profile.fields
    assert (field.key, field.value, field.author.kind) == ("city", "Vigo", AuthorKind.AI)
    assert (field.source_conversation_id, field.source_seq) == (customer.conversation_id, 1)
    [field] = corrected.profile.fields
    assert (field.value, field.author.kind) == ("Lugo", AuthorKind.MEMBER)
    with pytest.raises(ContactFieldOfMember):
        await contacts.set_field(contact_id, "city", "Vigo", by=ai)
    # It says so already: nothing to overwrite.
    assert await contacts.set_field(contact_id, "city", "Lugo", by=ai) == corrected


async def test_a_detail_read_elsewhere_is_refused(contacts: Contacts) -> None:
    _, contact_id = await contacts.met()
    other, _ = await contacts.met("Bob")

    with pytest.raises(FieldInvalid):
        await contacts.set_field(
            contact_id, "city", "Vigo", source_conversation_id=other.conversation_id
        )
    with pytest.raises(ConversationNotFound):
        await contacts.set_field("", "city", "Vigo", source_conversation_id=new_id())


async def test_a_contact_has_so_many_details_and_no_more(contacts: Contacts) -> None:
    _, contact_id = await contacts.met()
    for number in range(MAX_FIELDS):
        await contacts.set_field(contact_id, f"detail_{number}", "known")

    with pytest.raises(ContactFull) as refused:
        await contacts.set_field(contact_id, "one_more", "known")
    await contacts.delete_field(contact_id, "detail_0")
    known = await contacts.set_field(contact_id, "one_more", "known")

    assert refused.value.metadata() == {"what": "fields", "limit": str(MAX_FIELDS)}
    assert len(known.profile.fields) == MAX_FIELDS
    with pytest.raises(ContactFieldNotFound):
        await contacts.delete_field(contact_id, "detail_0")


async def test_what_a_contact_said_last_about_a_purpose_counts(
    desk: Desk, contacts: Contacts
) -> None:
    _, contact_id = await contacts.met()
    later, earlier = FIRST_DAY + timedelta(days=2), FIRST_DAY

    await contacts.consent(contact_id, "marketing", GRANTED, consent_time=earlier)
    await contacts.consent(contact_id, "marketing", WITHDRAWN, consent_time=later)
    await contacts.consent(
        contact_id, "marketing", GRANTED, channel_kind=ChannelKind.WHATSAPP, consent_time=later
    )
    known = await contacts.consent(
        contact_id, "marketing", GRANTED, consent_time=earlier + timedelta(days=1)
    )

    assert said(known) == {"": (WITHDRAWN, later), "whatsapp": (GRANTED, later)}
    assert len(await told(desk)) == 3
    assert len(await kept_in(desk.means.database, desk.workspace_id)) == 3
    with pytest.raises(FieldInvalid):
        future = desk.means.clock.now() + timedelta(minutes=1)
        await contacts.consent(contact_id, "marketing", GRANTED, consent_time=future)


async def test_a_contact_that_does_not_exist_is_not_found(contacts: Contacts) -> None:
    for act in (contacts.get, contacts.update, contacts.notes):
        with pytest.raises(ContactNotFound):
            await act(new_id())


def said(known: KnownContact) -> dict[str, tuple[ConsentState, object]]:
    """By kind of channel."""
    return {
        consent.key[1]: (consent.state, consent.consent_time) for consent in known.profile.consents
    }
