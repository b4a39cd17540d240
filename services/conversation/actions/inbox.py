"""Looking into the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Caller
from chassis.database import Reading
from chassis.errors import TemporarilyUnavailable
from services.conversation.actions.means import Means
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.drafts import Draft
from services.conversation.model.reading import SeenBy
from services.conversation.model.thread import ChannelKind
from services.conversation.store import conversations, counters, drafts, listing, seen, tags
from services.conversation.store.listing import BEFORE_ALL, Filters, Place


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which part of the inbox list is wanted."""

    page_size: int
    folder: Folder = Folder.OPEN
    unread_only: bool = False
    channel_id: str | None = None
    channel_kind: ChannelKind | None = None
    tags: tuple[str, ...] = ()
    """By id, key or alias; a conversation must have all of them."""
    waiting_only: bool = False
    assignee_id: str | None = None
    unassigned_only: bool = False
    after: Place = BEFORE_ALL
    at_least: tuple[str, int] | None = None
    """Log epoch and position of messaging's log that the list must show already."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the inbox list."""

    conversations: list[Conversation]
    next_place: Place | None
    """How far the list was looked through; None after the last page."""
    drafted: frozenset[str] = frozenset()
    """Those of them in which the caller has a draft."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation as the one who opens it sees it."""

    conversation: Conversation
    seen_by: list[SeenBy]
    draft: Draft | None
    """The caller's own, also a deleted one."""


async def list_conversations(means: Means, caller: Caller, query: ListQuery) -> Page:
    """Part of the inbox list, newest activity first.

    Raises: TagNotFound; TemporarilyUnavailable, when what the caller was told of is not projected
    in time.
    """
    if (
        query.at_least is not None
        and means.reach_projection is not None
        and not await means.reach_projection(*query.at_least)
    ):
        raise TemporarilyUnavailable(part="the inbox list, which has to catch up,")
    async with means.database.read(caller.workspace) as reading:
        tag_ids, is_channel_rarer = await _leading_first(reading, query)
        filters = Filters(
            query.folder,
            unread_only=query.unread_only,
            channel_id=query.channel_id,
            channel_kind=query.channel_kind,
            tag_ids=tag_ids,
            is_channel_rarer=is_channel_rarer,
            waiting_only=query.waiting_only,
            assignee_id=query.assignee_id,
            unassigned_only=query.unassigned_only,
        )
        # One more than shown tells whether there is another page.
        size = query.page_size + 1
        walked = await listing.page(reading, filters, after=query.after, size=size)
        shown = walked.conversations[: query.page_size]
        drafted = await drafts.drafted(reading, caller.id, [one.id for one in shown])
    if len(walked.conversations) > len(shown):
        return Page(shown, Place(shown[-1].last_activity_time, shown[-1].id), drafted)
    return Page(shown, walked.ended_at, drafted)


async def get_conversation(means: Means, caller: Caller, conversation_id: str) -> Opened:
    """One conversation, who has seen it, and the caller's draft. Raises: ConversationNotFound."""
    async with means.database.read(caller.workspace) as reading:
        return Opened(
            await conversations.get(reading, conversation_id),
            await seen.of(reading, conversation_id),
            await drafts.get(reading, caller.id, conversation_id),
        )


async def _leading_first(reading: Reading, query: ListQuery) -> tuple[tuple[str, ...], bool]:
    """The tags' ids, the one that lets least through first; whether the channel lets less."""
    ids = await tags.ids_of(reading, query.tags)
    if ids and query.channel_id is not None:
        ids.append(query.channel_id)
    if len(ids) > 1:
        ids = await counters.rarest_first(reading, ids, query.folder, unread_only=query.unread_only)
    tag_ids = tuple(one for one in ids if one != query.channel_id)
    return tag_ids, bool(ids) and ids[0] == query.channel_id
