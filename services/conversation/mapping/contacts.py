"""What is known of contacts as protobuf, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldInvalid
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.mapping import CHANNEL_KINDS, author_to, contact_to, conversation_to
from services.conversation.mapping.times import time_from, time_to
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.names import Span
from services.conversation.model.notes import Note
from services.conversation.model.profile import (
    Consent,
    ConsentState,
    ContactField,
    Profile,
)

CONSENT_STATES = {
    ConsentState.GRANTED: conversation_v1.CONSENT_STATE_GRANTED,
    ConsentState.WITHDRAWN: conversation_v1.CONSENT_STATE_WITHDRAWN,
}


def consent_state_from(number: int) -> ConsentState:
    """What a contact said; it must be given. Raises: FieldInvalid."""
    for state, theirs in CONSENT_STATES.items():
        if theirs == number:
            return state
    raise FieldInvalid("state", "must be CONSENT_STATE_GRANTED or CONSENT_STATE_WITHDRAWN")


def consent_time_from(timestamp: Timestamp) -> datetime:
    """When a contact said so. Raises: FieldInvalid."""
    try:
        return time_from(timestamp)
    except (ValueError, OverflowError):
        raise FieldInvalid("consent_time", "must be a time of the years 1 to 9999") from None


def profile_to(profile: Profile) -> conversation_v1.ContactProfile:
    """A profile for the wire."""
    return conversation_v1.ContactProfile(
        email=profile.email,
        phone=profile.phone,
        language=profile.language,
        tag_ids=profile.tag_ids,
        fields=map(_field_to, profile.fields),
        consents=map(_consent_to, profile.consents),
        version=profile.version,
    )


def note_to(note: Note) -> conversation_v1.ContactNote:
    """A note for the wire."""
    return conversation_v1.ContactNote(
        id=note.id,
        contact_id=note.contact_id,
        body=note.body,
        author=author_to(note.author),
        create_time=time_to(note.create_time),
        update_time=time_to(note.update_time),
        is_deleted=note.is_deleted,
        version=note.version,
    )


def found_to(
    contact: Contact, spans: Sequence[Span], conversations: Sequence[Conversation]
) -> conversation_v1.FoundContact:
    """A contact that was found, for the wire."""
    return conversation_v1.FoundContact(
        contact=contact_to(contact),
        highlights=[messaging_v1.Highlight(start=one.start, length=one.length) for one in spans],
        conversations=map(conversation_to, conversations),
    )


def _field_to(field: ContactField) -> conversation_v1.ContactField:
    return conversation_v1.ContactField(
        key=field.key,
        value=field.value,
        author=author_to(field.author),
        source_conversation_id=field.source_conversation_id,
        source_seq=field.source_seq,
        update_time=time_to(field.update_time),
    )


def _consent_to(consent: Consent) -> conversation_v1.Consent:
    return conversation_v1.Consent(
        purpose=consent.purpose,
        channel_kind=(
            CHANNEL_KINDS[consent.channel_kind]
            if consent.channel_kind
            else messaging_v1.CHANNEL_KIND_UNSPECIFIED
        ),
        state=CONSENT_STATES[consent.state],
        source=consent.source,
        author=author_to(consent.author),
        consent_time=time_to(consent.consent_time),
    )


def record_to(
    record: Contact | Profile | Note | Conversation | messaging_v1.Message,
) -> conversation_v1.ExportedRecord:
    """One thing that is kept of a contact, for the wire."""
    match record:
        case Contact():
            return conversation_v1.ExportedRecord(contact=contact_to(record))
        case Profile():
            return conversation_v1.ExportedRecord(profile=profile_to(record))
        case Note():
            return conversation_v1.ExportedRecord(note=note_to(record))
        case Conversation():
            return conversation_v1.ExportedRecord(conversation=conversation_to(record))
        case _:
            return conversation_v1.ExportedRecord(message=record)
