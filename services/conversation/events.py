"""Events published: each change of what conversation owns is exactly one of these."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent, subject
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import (
    author_to,
    contact_to,
    conversation_to,
    counter_to,
    seen_by_to,
    settings_to,
    tag_to,
)
from services.conversation.mapping.contacts import note_to, profile_to
from services.conversation.model.authors import Author
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Change, Conversation
from services.conversation.model.counters import Counter
from services.conversation.model.notes import Note
from services.conversation.model.profile import KnownContact
from services.conversation.model.reading import SeenBy
from services.conversation.model.settings import InboxSettings
from services.conversation.model.tags import Tag

STREAM = "INBOX_CONVERSATION"
COUNTERS = "counters"
SETTINGS = "settings"
"""Ordering keys of what a workspace has one of."""

PUBLISHES: dict[str, type[Message]] = {
    "conversation_opened": conversation_v1.ConversationOpened,
    "conversation_solved": conversation_v1.ConversationSolved,
    "conversation_reopened": conversation_v1.ConversationReopened,
    "conversation_moved": conversation_v1.ConversationMoved,
    "conversation_read": conversation_v1.ConversationRead,
    "conversation_seen": conversation_v1.ConversationSeen,
    "conversation_marked_unread": conversation_v1.ConversationMarkedUnread,
    "conversation_tagged": conversation_v1.ConversationTagged,
    "conversation_untagged": conversation_v1.ConversationUntagged,
    "conversation_assigned": conversation_v1.ConversationAssigned,
    "contact_changed": conversation_v1.ContactChanged,
    "contacts_merged": conversation_v1.ContactsMerged,
    "contact_note_changed": conversation_v1.ContactNoteChanged,
    "tag_changed": conversation_v1.TagChanged,
    "counters_changed": conversation_v1.CountersChanged,
    "inbox_settings_changed": conversation_v1.InboxSettingsChanged,
    "conversation_erased": conversation_v1.ConversationErased,
    "contact_erased": conversation_v1.ContactErased,
}
"""Every event by the name it has in its subject."""
NAMES = {message: name for name, message in PUBLISHES.items()}


def conversation_changed(
    workspace_id: WorkspaceId,
    change: Change,
    conversation: Conversation,
    author: Author,
    *,
    tag_id: str = "",
    seen_by: SeenBy | None = None,
) -> OutgoingEvent:
    """The one event of a change, with the whole conversation as it is now."""
    now, by = conversation_to(conversation), author_to(author)
    event: Message
    match change:
        case Change.OPENED:
            event = conversation_v1.ConversationOpened(conversation=now)
        case Change.SOLVED:
            event = conversation_v1.ConversationSolved(conversation=now, author=by)
        case Change.REOPENED:
            event = conversation_v1.ConversationReopened(conversation=now, author=by)
        case Change.MOVED:
            event = conversation_v1.ConversationMoved(conversation=now, author=by)
        case Change.READ:
            seen = seen_by_to(seen_by) if seen_by else None
            event = conversation_v1.ConversationRead(conversation=now, author=by, seen_by=seen)
        case Change.MARKED_UNREAD:
            event = conversation_v1.ConversationMarkedUnread(conversation=now, author=by)
        case Change.TAGGED:
            event = conversation_v1.ConversationTagged(conversation=now, author=by, tag_id=tag_id)
        case Change.UNTAGGED:
            event = conversation_v1.ConversationUntagged(conversation=now, author=by, tag_id=tag_id)
        case Change.ASSIGNED:
            event = conversation_v1.ConversationAssigned(conversation=now, author=by)
    return _event(workspace_id, conversation.id, event)


def conversation_seen(
    workspace_id: WorkspaceId, conversation_id: str, seen_by: SeenBy
) -> OutgoingEvent:
    """Another member saw what somebody had seen before."""
    event = conversation_v1.ConversationSeen(
        conversation_id=conversation_id, seen_by=seen_by_to(seen_by)
    )
    return _event(workspace_id, conversation_id, event)


def tag_changed(workspace_id: WorkspaceId, tag: Tag) -> OutgoingEvent:
    """A tag was created, changed or deleted."""
    return _event(workspace_id, tag.id, conversation_v1.TagChanged(tag=tag_to(tag)))


def counters_changed(workspace_id: WorkspaceId, counters: Sequence[Counter]) -> OutgoingEvent:
    """Counters changed; told in the order in which they did."""
    event = conversation_v1.CountersChanged(counters=map(counter_to, counters))
    return _event(workspace_id, COUNTERS, event)


def settings_changed(workspace_id: WorkspaceId, settings: InboxSettings) -> OutgoingEvent:
    """The workspace's inbox settings changed."""
    event = conversation_v1.InboxSettingsChanged(settings=settings_to(settings))
    return _event(workspace_id, SETTINGS, event)


def contact_renamed(workspace_id: WorkspaceId, contact: Contact) -> OutgoingEvent:
    """A channel told a new name for a contact, or which contact it became part of."""
    event = conversation_v1.ContactChanged(contact=contact_to(contact))
    return _event(workspace_id, contact.id, event)


def contact_changed(
    workspace_id: WorkspaceId, known: KnownContact, author: Author | None
) -> OutgoingEvent:
    """What is known of a contact changed."""
    event = conversation_v1.ContactChanged(
        contact=contact_to(known.contact),
        profile=profile_to(known.profile),
        author=author_to(author) if author else None,
    )
    return _event(workspace_id, known.id, event)


def contacts_merged(
    workspace_id: WorkspaceId, known: KnownContact, left: Contact, author: Author
) -> OutgoingEvent:
    """A contact became part of another."""
    event = conversation_v1.ContactsMerged(
        contact=contact_to(known.contact),
        profile=profile_to(known.profile),
        merged_contact=contact_to(left),
        author=author_to(author),
    )
    return _event(workspace_id, known.id, event)


def note_changed(workspace_id: WorkspaceId, note: Note, author: Author) -> OutgoingEvent:
    """A note was written, changed or deleted."""
    event = conversation_v1.ContactNoteChanged(note=note_to(note), author=author_to(author))
    return _event(workspace_id, note.id, event)


def conversation_erased(workspace_id: WorkspaceId, conversation_id: str) -> OutgoingEvent:
    """A conversation was erased."""
    event = conversation_v1.ConversationErased(conversation_id=conversation_id)
    return _event(workspace_id, conversation_id, event)


def contact_erased(workspace_id: WorkspaceId, contact_id: str) -> OutgoingEvent:
    """A contact was erased."""
    return _event(workspace_id, contact_id, conversation_v1.ContactErased(contact_id=contact_id))


def _event(workspace_id: WorkspaceId, ordering_key: str, event: Message) -> OutgoingEvent:
    return OutgoingEvent(
        subject=subject("conversation", NAMES[type(event)], workspace_id),
        workspace_id=workspace_id,
        ordering_key=ordering_key,
        payload=event.SerializeToString(deterministic=True),
    )
