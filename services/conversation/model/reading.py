"""Read marks."""

from __future__ import annotations

from dataclasses import replace

from services.conversation.model.conversation import Conversation
from services.conversation.model.faults import ReadMarkAhead

MAX_READ_LEAD = 1000
"""How far a read mark may be ahead of the inbound messages projected so far. A client that reads
messaging's stream sees a message before the projection does; a mark from nowhere would swallow
every unread badge to come, and marks never fall."""


def mark_read(conversation: Conversation, read_ordinal: int) -> Conversation:
    """Raise the read mark; a lower one changes nothing and gives the same object.

    Raises: ReadMarkAhead.
    """
    if read_ordinal <= conversation.read_ordinal:
        return conversation
    if read_ordinal > furthest_mark(conversation):
        raise ReadMarkAhead(read_ordinal, conversation.inbound_count)
    return replace(conversation, read_ordinal=read_ordinal, version=conversation.version + 1)


def furthest_mark(conversation: Conversation) -> int:
    """The highest ordinal somebody can have seen already."""
    return conversation.inbound_count + MAX_READ_LEAD
