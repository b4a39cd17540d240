"""The inbox list: one folder, newest activity first, from a place on.

Every filter by itself, and unread with any other, walks an index that holds its rows in the
order of the list, so a page costs what is on it. Other combinations walk the index of the filter
that lets least through and look at each row: what waits for a person and what one member looks
after are short lists and lead before any tag; of several tags the rarest leads, or the channel
where that is rarer still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.database import Transaction
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.thread import ChannelKind
from services.conversation.store.rows import CONVERSATIONS, conversation_of

PAGE = """
    SELECT * FROM conversations
    WHERE workspace_id = $1 AND folder = $2 {filters}
      AND (last_activity_time, id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, id DESC
    LIMIT $5
"""
UNREAD = "AND inbound_count > read_ordinal"
WAITING = "AND waiting_since IS NOT NULL"
ASSIGNED = "AND assignee_id = ${number}::uuid"
UNASSIGNED = "AND assignee_id IS NULL"
WITH_TAGS = "AND tag_ids @> ${number}::uuid[]"
ON_CHANNEL = "AND channel_id = ${number}::uuid"
OF_KIND = "AND channel_kind = ${number}"
# A channel is of one kind: asked once, not of each row of a channel that is of another. The order
# is the index's.
ON_CHANNEL_OF_KIND = """AND (
            SELECT one.channel_kind FROM conversations AS one
            WHERE one.workspace_id = $1 AND one.channel_id = ${before}::uuid
            ORDER BY one.folder LIMIT 1) = ${number}
"""
TAGGED_PAGE = """
    SELECT conversations.* FROM (
        SELECT conversation_id FROM conversation_tags
        WHERE workspace_id = $1 AND folder = $2 {filters}
          AND (last_activity_time, conversation_id) < ($3::timestamptz, $4::uuid)
        ORDER BY last_activity_time DESC, conversation_id DESC
        LIMIT $5
    ) AS tagged
    JOIN conversations ON conversations.workspace_id = $1 AND conversations.id = conversation_id
"""
TAGGED = "AND tag_id = ${number}::uuid"
TAGGED_UNREAD = "AND is_unread"
# As a value and not as a join, so that no plan can gather all of the other tag's conversations.
ALSO_TAGGED = """AND (
            SELECT true FROM conversation_tags AS other WHERE other.workspace_id = $1
              AND other.conversation_id = conversation_tags.conversation_id
              AND other.tag_id = ${number}::uuid)
"""
ALSO_UNASSIGNED = """AND (
            SELECT true FROM conversations AS tagged WHERE tagged.workspace_id = $1
              AND tagged.id = conversation_tags.conversation_id AND tagged.assignee_id IS NULL)
"""
# A contact has few conversations: they are sorted, not kept in order.
CONTACTS_PAGE = CONVERSATIONS.format(
    listed="""
    SELECT * FROM conversations
    WHERE workspace_id = $1 AND contact_id = $2
      AND (last_activity_time, id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, id DESC
    LIMIT $5
"""
)
NEWEST_OF_CONTACTS = CONVERSATIONS.format(
    listed="""
    SELECT newest.* FROM unnest($2::uuid[]) AS wanted (contact_id) CROSS JOIN LATERAL (
        SELECT * FROM conversations
        WHERE workspace_id = $1 AND conversations.contact_id = wanted.contact_id
        ORDER BY last_activity_time DESC, id DESC
        LIMIT $3
    ) AS newest
"""
)
IN_ORDER = "ORDER BY listed.last_activity_time DESC, listed.id DESC"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: what comes after it is on the next page."""

    last_activity_time: datetime
    conversation_id: str


BEFORE_ALL = Place(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a conversation must be to be listed: all of it."""

    folder: Folder
    unread_only: bool = False
    channel_id: str | None = None
    channel_kind: ChannelKind | None = None
    tag_ids: tuple[str, ...] = ()
    """The rarest first."""
    waiting_only: bool = False
    assignee_id: str | None = None
    unassigned_only: bool = False
    is_channel_rarer: bool = False
    """Than the rarest tag."""

    @property
    def leads_by_tag(self) -> bool:
        """Whether the index of a tag is walked."""
        leads_otherwise = self.waiting_only or self.assignee_id is not None or self.is_channel_rarer
        return bool(self.tag_ids) and not leads_otherwise


def page_statement(filters: Filters) -> tuple[str, list[object]]:
    """The list's statement, and its arguments from the sixth on."""
    conditions: list[str] = []
    arguments: list[object] = []

    def only(condition: str, argument: object) -> None:
        arguments.append(argument)
        number = 5 + len(arguments)
        conditions.append(condition.format(number=number, before=number - 1))

    by_tag = filters.leads_by_tag
    for condition, tag in _tag_conditions(filters):
        only(condition, tag)
    if filters.assignee_id is not None:
        only(ASSIGNED, filters.assignee_id)
    if filters.channel_id is not None:
        only(ON_CHANNEL, filters.channel_id)
    if filters.channel_kind is not None:
        of_kind = OF_KIND if filters.channel_id is None else ON_CHANNEL_OF_KIND
        only(of_kind, filters.channel_kind.value)
    if filters.waiting_only:
        conditions.append(WAITING)
    if filters.unassigned_only:
        conditions.append(ALSO_UNASSIGNED if by_tag else UNASSIGNED)
    if filters.unread_only:
        conditions.append(TAGGED_UNREAD if by_tag else UNREAD)
    listed = TAGGED_PAGE if by_tag else PAGE
    statement = CONVERSATIONS.format(listed=listed.format(filters=" ".join(conditions)))
    return statement + IN_ORDER, arguments


def _tag_conditions(filters: Filters) -> list[tuple[str, object]]:
    if not filters.leads_by_tag:
        return [(WITH_TAGS, filters.tag_ids)] if filters.tag_ids else []
    leading, *others = filters.tag_ids
    return [(TAGGED, leading), *((ALSO_TAGGED, other) for other in others)]


async def page(
    transaction: Transaction, filters: Filters, *, after: Place, size: int
) -> list[Conversation]:
    """Conversations after a place, newest activity first."""
    statement, arguments = page_statement(filters)
    rows = await transaction.raw.fetch(
        statement,
        transaction.workspace_id,
        filters.folder.value,
        after.last_activity_time,
        after.conversation_id,
        size,
        *arguments,
    )
    return [conversation_of(row) for row in rows]


async def page_of_contact(
    transaction: Transaction, contact_id: str, *, after: Place, size: int
) -> list[Conversation]:
    """A contact's conversations after a place, in any folder, newest activity first."""
    rows = await transaction.raw.fetch(
        CONTACTS_PAGE + IN_ORDER,
        transaction.workspace_id,
        contact_id,
        after.last_activity_time,
        after.conversation_id,
        size,
    )
    return [conversation_of(row) for row in rows]


async def newest_of(
    transaction: Transaction, contact_ids: Sequence[str], size: int
) -> dict[str, list[Conversation]]:
    """The newest conversations of each of some contacts, newest activity first."""
    rows = await transaction.raw.fetch(
        NEWEST_OF_CONTACTS + IN_ORDER, transaction.workspace_id, contact_ids, size
    )
    newest: dict[str, list[Conversation]] = {}
    for conversation in map(conversation_of, rows):
        newest.setdefault(conversation.contact.id, []).append(conversation)
    return newest
