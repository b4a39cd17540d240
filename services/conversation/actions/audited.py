"""What the audit keeps: where conversations lie, their tags and whose they are; of the rest all."""

from __future__ import annotations

from chassis.audit import Change, Fields
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.erasure import Erasure
from services.conversation.model.notes import Note
from services.conversation.model.profile import Consent, KnownContact
from services.conversation.model.settings import InboxSettings
from services.conversation.model.tags import Tag

MOVES = {
    Folder.OPEN: "ConversationService/ReopenConversation",
    Folder.SOLVED: "ConversationService/SolveConversation",
    Folder.SPAM: "ConversationService/MoveConversation",
    Folder.ARCHIVED: "ConversationService/MoveConversation",
}
"""By where it was moved; moving it to Open or Solved is reopening and solving it."""
TAG = "ConversationService/TagConversation"
UNTAG = "ConversationService/UntagConversation"
ASSIGN = "ConversationService/AssignConversation"
CREATE_TAG = "TagService/CreateTag"
UPDATE_TAG = "TagService/UpdateTag"
DELETE_TAG = "TagService/DeleteTag"
UPDATE_SETTINGS = "ConversationService/UpdateInboxSettings"
MERGE_CONTACTS = "ContactService/MergeContacts"
CREATE_NOTE = "ContactService/CreateContactNote"
UPDATE_NOTE = "ContactService/UpdateContactNote"
DELETE_NOTE = "ContactService/DeleteContactNote"
ERASE_CONTACT = "PrivacyService/EraseContact"


def conversation_changed(before: Conversation, after: Conversation) -> Change:
    """Where a conversation lies, what it is tagged with, and who looks after it."""
    return Change.of("conversation", after.id, _of_conversation(before), _of_conversation(after))


def tag_changed(before: Tag | None, after: Tag) -> Change:
    """A tag, new, changed or deleted."""
    kept = None if after.is_deleted else _of_tag(after)
    return Change.of("tag", after.id, _of_tag(before) if before else None, kept)


def settings_changed(workspace_id: str, before: InboxSettings, after: InboxSettings) -> Change:
    """The workspace's choices."""
    return Change.of("inbox_settings", workspace_id, _of_settings(before), _of_settings(after))


def contact_changed(before: KnownContact, after: KnownContact) -> Change:
    """A contact, and what is known of it."""
    return Change.of("contact", after.id, _of_contact(before), _of_contact(after))


def contact_merged(before: KnownContact, left: Contact) -> Change:
    """A contact that became part of another: what it was, and of which."""
    kept = {"merged_into_id": left.merged_into_id}
    return Change("contact", left.id, _of_contact(before), kept)


def note_changed(before: Note | None, after: Note) -> Change:
    """A note, new, changed or deleted."""
    kept = None if after.is_deleted else _of_note(after)
    return Change.of("contact_note", after.id, _of_note(before) if before else None, kept)


def contact_erased(erasure: Erasure) -> Change:
    """Whose erasure was asked for. Nothing of the contact but ids: this is what stays of it."""
    kept = {"contact_id": erasure.contact_id, "conversation_ids": erasure.conversation_ids}
    return Change("erasure", erasure.id, None, kept)


def _of_conversation(conversation: Conversation) -> Fields:
    return {
        "folder": conversation.folder,
        "tag_ids": sorted(conversation.tag_ids),
        "assignee_id": conversation.assignee_id,
    }


def _of_tag(tag: Tag) -> Fields:
    return {"key": tag.key, "display_name": tag.display_name, "color": tag.color}


def _of_settings(settings: InboxSettings) -> Fields:
    return {"reopens_on_inbound": settings.reopens_on_inbound}


def _of_contact(known: KnownContact) -> Fields:
    contact, profile = known.contact, known.profile
    return {
        "display_name": contact.display_name,
        "identities": [" ".join(identity.key) for identity in contact.identities],
        "email": profile.email,
        "phone": profile.phone,
        "language": profile.language,
        "tag_ids": list(profile.tag_ids),
        "fields": {field.key: field.value for field in profile.fields},
        "consents": [_of_consent(consent) for consent in profile.consents],
    }


def _of_consent(consent: Consent) -> Fields:
    return {
        "purpose": consent.purpose,
        "channel_kind": consent.channel_kind,
        "state": consent.state,
        "source": consent.source,
        "consent_time": consent.consent_time,
    }


def _of_note(note: Note) -> Fields:
    return {"contact_id": note.contact_id, "body": note.body}
