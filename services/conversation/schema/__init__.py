"""Tables of the shared inbox; the migrations build them, a test compares the two."""

from __future__ import annotations

from services.conversation.schema.columns import metadata
from services.conversation.schema.contacts import (
    contact_identities,
    contact_name_words,
    contact_notes,
    contact_profiles,
    contacts,
)
from services.conversation.schema.conversations import command_requests, conversations
from services.conversation.schema.erasures import erasure_threads, erasures
from services.conversation.schema.inbox import (
    conversation_seen,
    conversation_tags,
    counters,
    drafts,
    entity_requests,
    inbox_settings,
    tags,
)

__all__ = [
    "command_requests",
    "contact_identities",
    "contact_name_words",
    "contact_notes",
    "contact_profiles",
    "contacts",
    "conversation_seen",
    "conversation_tags",
    "conversations",
    "counters",
    "drafts",
    "entity_requests",
    "erasure_threads",
    "erasures",
    "inbox_settings",
    "metadata",
    "tags",
]
