"""What is known of contacts."""

from __future__ import annotations

import asyncio

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from tests.serving import bearer
from tests.system.deeds.stage import Deed, Stage

PROJECTED_WITHIN_SECONDS = 15.0


async def update_contact(stage: Stage) -> None:
    await stage.to.contacts.UpdateContact(
        conversation_v1.UpdateContactRequest(
            contact_id=stage.tenant.contact_id,
            request_id=new_id(),
            email="ana@example.com",
            phone="+34600111222",
        ),
        metadata=stage.owner,
    )


async def tag_contact(stage: Stage) -> None:
    created = await stage.to.tags.CreateTag(
        conversation_v1.CreateTagRequest(request_id=new_id(), display_name="Regular"),
        metadata=stage.owner,
    )
    stage.made["label"] = created.tag.id
    await stage.to.contacts.TagContact(
        conversation_v1.TagContactRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id(), tag=created.tag.id
        ),
        metadata=stage.owner,
    )


async def untag_contact(stage: Stage) -> None:
    await stage.to.contacts.UntagContact(
        conversation_v1.UntagContactRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id(), tag=stage.made["label"]
        ),
        metadata=stage.owner,
    )


async def set_contact_field(stage: Stage) -> None:
    await stage.to.contacts.SetContactField(
        conversation_v1.SetContactFieldRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id(), key="size", value="M"
        ),
        metadata=stage.owner,
    )


async def delete_contact_field(stage: Stage) -> None:
    await stage.to.contacts.DeleteContactField(
        conversation_v1.DeleteContactFieldRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id(), key="size"
        ),
        metadata=stage.owner,
    )


async def record_consent(stage: Stage) -> None:
    await stage.to.contacts.RecordConsent(
        conversation_v1.RecordConsentRequest(
            contact_id=stage.tenant.contact_id,
            request_id=new_id(),
            purpose="marketing",
            state=conversation_v1.CONSENT_STATE_GRANTED,
            source="form on the website",
        ),
        metadata=stage.owner,
    )


async def create_contact_note(stage: Stage) -> None:
    created = await stage.to.contacts.CreateContactNote(
        conversation_v1.CreateContactNoteRequest(
            contact_id=stage.tenant.contact_id, request_id=new_id(), body="Prefers tea."
        ),
        metadata=stage.owner,
    )
    stage.made["note"] = created.note.id


async def update_contact_note(stage: Stage) -> None:
    await stage.to.contacts.UpdateContactNote(
        conversation_v1.UpdateContactNoteRequest(
            note_id=stage.made["note"], request_id=new_id(), body="Prefers coffee."
        ),
        metadata=stage.owner,
    )


async def delete_contact_note(stage: Stage) -> None:
    await stage.to.contacts.DeleteContactNote(
        conversation_v1.DeleteContactNoteRequest(note_id=stage.made["note"], request_id=new_id()),
        metadata=stage.owner,
    )


async def merge_contacts(stage: Stage) -> None:
    await stage.to.contacts.MergeContacts(
        conversation_v1.MergeContactsRequest(
            contact_id=stage.tenant.contact_id,
            merged_contact_id=await _another_contact(stage),
            request_id=new_id(),
        ),
        metadata=stage.owner,
    )


async def _another_contact(stage: Stage) -> str:
    """Somebody else who wrote in the chat box, once the inbox knows them."""
    opened = await stage.to.chat.OpenSession(
        messaging_v1.OpenSessionRequest(channel_id=stage.tenant.channel_id, display_name="Zoe")
    )
    await stage.to.chat.PostMessage(
        messaging_v1.PostMessageRequest(client_message_id=new_id(), text="hola"),
        metadata=bearer(opened.access_token),
    )
    async with asyncio.timeout(PROJECTED_WITHIN_SECONDS):
        while True:
            found = await stage.to.contacts.SearchContacts(
                conversation_v1.SearchContactsRequest(query="zoe"), metadata=stage.owner
            )
            if found.contacts:
                return found.contacts[0].contact.id
            await asyncio.sleep(0.05)


DEEDS: dict[str, Deed] = {
    "ContactService/UpdateContact": Deed(update_contact),
    "ContactService/TagContact": Deed(tag_contact),
    "ContactService/UntagContact": Deed(untag_contact),
    "ContactService/SetContactField": Deed(set_contact_field),
    "ContactService/DeleteContactField": Deed(delete_contact_field),
    "ContactService/RecordConsent": Deed(record_consent),
    "ContactService/CreateContactNote": Deed(create_contact_note),
    "ContactService/UpdateContactNote": Deed(update_contact_note),
    "ContactService/DeleteContactNote": Deed(delete_contact_note),
    "ContactService/MergeContacts": Deed(merge_contacts),
}
"""In an order in which they can be done."""
