"""Read marks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.conversation.model.conversation import Conversation, check_version
from services.conversation.model.faults import NothingToMarkUnread, ReadMarkAhead

MAX_READ_LEAD = 1000
"""How far a read mark may be ahead of the inbound messages projected so far. A client that reads
messaging's stream sees a message before the projection does; a mark from nowhere would swallow
every unread badge to come, and marks fall by hand only."""


@dataclass(frozen=True, slots=True)
class SeenBy:
    """How far one member has seen a conversation; only rises."""

    member_id: str
    ordinal: int
    seen_time: datetime


def mark_read(conversation: Conversation, read_ordinal: int) -> Conversation:
    """Raise the read mark; a lower one changes nothing and gives the same object.

    Raises: ReadMarkAhead.
    """
    if read_ordinal <= conversation.read_ordinal:
        return conversation
    if read_ordinal > furthest_mark(conversation):
        raise ReadMarkAhead(read_ordinal, conversation.inbound_count)
    return replace(conversation, read_ordinal=read_ordinal, version=conversation.version + 1)


def mark_unread(
    conversation: Conversation, from_ordinal: int, *, expected_version: int
) -> Conversation:
    """Lower the read mark below an inbound message; where it is there already nothing changes.

    Raises: NothingToMarkUnread, VersionConflict.
    """
    if not 1 <= from_ordinal <= conversation.inbound_count:
        raise NothingToMarkUnread(from_ordinal, conversation.inbound_count)
    if from_ordinal > conversation.read_ordinal:
        return conversation
    check_version(conversation, expected_version)
    return replace(conversation, read_ordinal=from_ordinal - 1, version=conversation.version + 1)


def furthest_mark(conversation: Conversation) -> int:
    """The highest ordinal somebody can have seen already."""
    return conversation.inbound_count + MAX_READ_LEAD
