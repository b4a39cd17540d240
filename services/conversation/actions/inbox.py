"""Looking into the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Caller
from chassis.errors import TemporarilyUnavailable
from services.conversation.actions.means import Means
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.store import conversations, listing
from services.conversation.store.listing import BEFORE_ALL, Place


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which part of the inbox list is wanted."""

    folder: Folder
    unread_only: bool
    channel_id: str | None
    page_size: int
    after: Place = BEFORE_ALL
    at_least: tuple[str, int] | None = None
    """Log epoch and position of messaging's log that the list must show already."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the inbox list."""

    conversations: list[Conversation]
    next_place: Place | None
    """None after the last page."""


async def list_conversations(means: Means, caller: Caller, query: ListQuery) -> Page:
    """Part of the inbox list, newest activity first.

    Raises: TemporarilyUnavailable, when what the caller was told of is not projected in time.
    """
    if (
        query.at_least is not None
        and means.reach_projection is not None
        and not await means.reach_projection(*query.at_least)
    ):
        raise TemporarilyUnavailable(part="the inbox list, which has to catch up,")
    async with means.database.begin(caller.workspace) as transaction:
        found = await listing.page(
            transaction,
            query.folder,
            unread_only=query.unread_only,
            channel_id=query.channel_id,
            after=query.after,
            # One more than shown tells whether there is another page.
            size=query.page_size + 1,
        )
    shown = found[: query.page_size]
    if len(found) == len(shown):
        return Page(shown, None)
    return Page(shown, Place(shown[-1].last_activity_time, shown[-1].id))


async def get_conversation(means: Means, caller: Caller, conversation_id: str) -> Conversation:
    """One conversation. Raises: ConversationNotFound."""
    async with means.database.begin(caller.workspace) as transaction:
        return await conversations.get(transaction, conversation_id)
