"""The inbox list: one folder, newest activity first, from a place on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.database import Transaction
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.store.rows import CONVERSATIONS, conversation_of

PAGE = (
    CONVERSATIONS.format(
        listed="""
    SELECT * FROM conversations
    WHERE workspace_id = $1 AND folder = $2 {filters}
      AND (last_activity_time, id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, id DESC
    LIMIT $5
"""
    )
    + "ORDER BY listed.last_activity_time DESC, listed.id DESC"
)
UNREAD = "AND inbound_count > read_ordinal"
ON_CHANNEL = "AND channel_id = $6"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: what comes after it is on the next page."""

    last_activity_time: datetime
    conversation_id: str


BEFORE_ALL = Place(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


def page_statement(*, unread_only: bool, is_on_channel: bool) -> str:
    """The list's statement; each of the four walks an index of its own."""
    filters = " ".join([UNREAD] * unread_only + [ON_CHANNEL] * is_on_channel)
    return PAGE.format(filters=filters)


async def page(
    transaction: Transaction,
    folder: Folder,
    *,
    unread_only: bool,
    channel_id: str | None,
    after: Place,
    size: int,
) -> list[Conversation]:
    """Conversations of a folder after a place, newest activity first."""
    statement = page_statement(unread_only=unread_only, is_on_channel=channel_id is not None)
    arguments = [
        transaction.workspace_id,
        folder.value,
        after.last_activity_time,
        after.conversation_id,
        size,
    ]
    if channel_id is not None:
        arguments.append(channel_id)
    return [conversation_of(row) for row in await transaction.raw.fetch(statement, *arguments)]
