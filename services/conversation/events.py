"""Events published: each change of what conversation owns is exactly one of these."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent, subject
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import author_to, contact_to, conversation_to
from services.conversation.model.authors import Author
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Change, Conversation

STREAM = "INBOX_CONVERSATION"

PUBLISHES: dict[str, type[Message]] = {
    "conversation_opened": conversation_v1.ConversationOpened,
    "conversation_solved": conversation_v1.ConversationSolved,
    "conversation_reopened": conversation_v1.ConversationReopened,
    "conversation_read": conversation_v1.ConversationRead,
    "contact_changed": conversation_v1.ContactChanged,
}
"""Every event by the name it has in its subject."""
NAMES = {message: name for name, message in PUBLISHES.items()}


def conversation_changed(
    workspace_id: WorkspaceId, change: Change, conversation: Conversation, author: Author
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
        case Change.READ:
            event = conversation_v1.ConversationRead(conversation=now, author=by)
    return _event(workspace_id, conversation.id, event)


def contact_changed(workspace_id: WorkspaceId, contact: Contact) -> OutgoingEvent:
    """A contact's name or identities changed."""
    event = conversation_v1.ContactChanged(contact=contact_to(contact))
    return _event(workspace_id, contact.id, event)


def _event(workspace_id: WorkspaceId, ordering_key: str, event: Message) -> OutgoingEvent:
    return OutgoingEvent(
        subject=subject("conversation", NAMES[type(event)], workspace_id),
        workspace_id=workspace_id,
        ordering_key=ordering_key,
        payload=event.SerializeToString(deterministic=True),
    )
