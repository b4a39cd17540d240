"""The inbox list: one folder, newest activity first, from a place on.

Every filter by itself, and unread with any other, walks an index that holds its rows in the
order of the list, so a page costs what is on it. Other combinations walk the index of the filter
that lets least through and look at each row: what waits for a person and what one member looks
after are short lists and lead before any tag; of several tags the rarest leads, or the channel
where that is rarer still. Where hardly any row has the rest too, a walk ends after `LOOKED_AT`
rows and says how far it came: the page is short then, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto

from chassis.database import Reading
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.thread import ChannelKind
from services.conversation.store.rows import CONVERSATIONS, conversation_of

LOOKED_AT = 2_000
"""Rows that one page looks at, at most: ten milliseconds or so, and never reached where a fortieth
of the leading filter's rows has the rest too."""

WALK = """
    SELECT {columns} FROM conversations
    WHERE workspace_id = $1 AND folder = $2 {leading}
      AND (last_activity_time, id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, id DESC
    LIMIT {limit}
"""
TAGGED_WALK = """
    SELECT {columns} FROM conversation_tags
    WHERE workspace_id = $1 AND folder = $2 {leading}
      AND (last_activity_time, conversation_id) < ($3::timestamptz, $4::uuid)
    ORDER BY last_activity_time DESC, conversation_id DESC
    LIMIT {limit}
"""
# Each row with how many were looked at before it and itself.
WALKED = "*, row_number() OVER (ORDER BY last_activity_time DESC, id DESC) AS looked_at"
TAGGED_WALKED = """conversation_id, last_activity_time, channel_id, channel_kind,
        row_number() OVER (ORDER BY last_activity_time DESC, conversation_id DESC) AS looked_at"""
# What has the rest too; and the last row that may be looked at, so that the next page knows where
# to go on.
LOOKED_THROUGH = """
    SELECT walked.*, {others} AS is_listed FROM ({walk}) AS walked
    WHERE {others} OR looked_at = {limit}
    ORDER BY last_activity_time DESC, {id} DESC
    LIMIT $5
"""
OF_TAGGED = """
    SELECT conversations.*{also} FROM ({tagged}) AS tagged
    JOIN conversations ON conversations.workspace_id = $1 AND conversations.id = conversation_id
"""
UNREAD = "inbound_count > read_ordinal"
WAITING = "waiting_since IS NOT NULL"
ASSIGNED = "assignee_id = ${number}::uuid"
UNASSIGNED = "assignee_id IS NULL"
WITH_TAGS = "tag_ids @> ${number}::uuid[]"
ON_CHANNEL = "channel_id = ${number}::uuid"
OF_KIND = "channel_kind = ${number}"
# A channel is of one kind: asked once, not of each row of a channel that is of another. The order
# is the index's.
ON_CHANNEL_OF_KIND = """(
            SELECT one.channel_kind FROM conversations AS one
            WHERE one.workspace_id = $1 AND one.channel_id = ${before}::uuid
            ORDER BY one.folder LIMIT 1) = ${number}
"""
TAGGED = "tag_id = ${number}::uuid"
TAGGED_UNREAD = "is_unread"
# As values and not as joins, so that no plan can gather all of the other tag's conversations.
ALSO_TAGGED = """coalesce((
            SELECT true FROM conversation_tags AS other WHERE other.workspace_id = $1
              AND other.conversation_id = walked.conversation_id
              AND other.tag_id = ${number}::uuid), false)
"""
ALSO_UNASSIGNED = """coalesce((
            SELECT true FROM conversations AS tagged WHERE tagged.workspace_id = $1
              AND tagged.id = walked.conversation_id AND tagged.assignee_id IS NULL), false)
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


class Leader(Enum):
    """Filters whose index can be walked, and unread with each of them."""

    WAITING = auto()
    ASSIGNEE = auto()
    TAG = auto()
    CHANNEL = auto()
    KIND = auto()
    UNASSIGNED = auto()


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
    def leader(self) -> Leader | None:
        """The filter whose index is walked; None walks the folder's."""
        in_order = (
            (Leader.WAITING, self.waiting_only),
            (Leader.ASSIGNEE, self.assignee_id is not None),
            (Leader.TAG, bool(self.tag_ids) and not self.is_channel_rarer),
            (Leader.CHANNEL, self.channel_id is not None),
            (Leader.KIND, self.channel_kind is not None),
            (Leader.UNASSIGNED, self.unassigned_only),
        )
        return next((leader for leader, is_asked in in_order if is_asked), None)


@dataclass(slots=True)
class Conditions:
    """What the walk is of, what each of its rows must be besides, and their arguments."""

    leading: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    arguments: list[object] = field(default_factory=list)

    def only(self, condition: str, argument: object, *, leads: bool) -> None:
        """A condition with an argument, which is the sixth of the statement or later."""
        self.arguments.append(argument)
        number = 5 + len(self.arguments)
        self.plain(condition.format(number=number, before=number - 1), leads=leads)

    def plain(self, condition: str, *, leads: bool) -> None:
        """A condition without an argument."""
        (self.leading if leads else self.others).append(condition)


@dataclass(frozen=True, slots=True)
class Walked:
    """What a page found, and how far it looked."""

    conversations: list[Conversation]
    ended_at: Place | None
    """The last row looked at, where that was the last one it might look at."""


def page_statement(filters: Filters) -> tuple[str, list[object]]:
    """The list's statement, and its arguments from the sixth on."""
    conditions = _conditions(filters)
    by_tag = filters.leader is Leader.TAG
    walk, walked = (TAGGED_WALK, TAGGED_WALKED) if by_tag else (WALK, WALKED)
    leading = "".join(f"AND {condition} " for condition in conditions.leading)
    if conditions.others:
        listed = LOOKED_THROUGH.format(
            others=f"({' AND '.join(conditions.others)})",
            walk=walk.format(columns=walked, leading=leading, limit=LOOKED_AT),
            limit=LOOKED_AT,
            id="conversation_id" if by_tag else "id",
        )
    else:
        columns = "conversation_id" if by_tag else "*"
        listed = walk.format(columns=columns, leading=leading, limit="$5")
    if by_tag:
        also = ", looked_at, is_listed" if conditions.others else ""
        listed = OF_TAGGED.format(tagged=listed, also=also)
    return CONVERSATIONS.format(listed=listed) + IN_ORDER, conditions.arguments


def _conditions(filters: Filters) -> Conditions:
    leader = filters.leader
    conditions = Conditions()
    if filters.tag_ids:
        _of_tags(conditions, filters)
    if filters.assignee_id is not None:
        conditions.only(ASSIGNED, filters.assignee_id, leads=leader is Leader.ASSIGNEE)
    if filters.channel_id is not None:
        conditions.only(ON_CHANNEL, filters.channel_id, leads=leader is Leader.CHANNEL)
    if filters.channel_kind is not None:
        kind = filters.channel_kind.value
        if filters.channel_id is not None:
            conditions.only(ON_CHANNEL_OF_KIND, kind, leads=True)
        else:
            conditions.only(OF_KIND, kind, leads=leader is Leader.KIND)
    if filters.waiting_only:
        conditions.plain(WAITING, leads=True)
    if filters.unassigned_only:
        unassigned = ALSO_UNASSIGNED if leader is Leader.TAG else UNASSIGNED
        conditions.plain(unassigned, leads=leader is Leader.UNASSIGNED)
    if filters.unread_only:
        conditions.plain(TAGGED_UNREAD if leader is Leader.TAG else UNREAD, leads=True)
    return conditions


def _of_tags(conditions: Conditions, filters: Filters) -> None:
    if filters.leader is not Leader.TAG:
        conditions.only(WITH_TAGS, filters.tag_ids, leads=False)
        return
    leading, *others = filters.tag_ids
    conditions.only(TAGGED, leading, leads=True)
    for other in others:
        conditions.only(ALSO_TAGGED, other, leads=False)


async def page(reading: Reading, filters: Filters, *, after: Place, size: int) -> Walked:
    """Conversations after a place, newest activity first."""
    statement, arguments = page_statement(filters)
    rows = await reading.raw.fetch(
        statement,
        reading.workspace_id,
        filters.folder.value,
        after.last_activity_time,
        after.conversation_id,
        size,
        *arguments,
    )
    if not rows or "looked_at" not in rows[0]:
        return Walked([conversation_of(row) for row in rows], None)
    ended_at = None
    if rows[-1]["looked_at"] == LOOKED_AT:
        ended_at = Place(rows[-1]["last_activity_time"], str(rows[-1]["id"]))
    return Walked([conversation_of(row) for row in rows if row["is_listed"]], ended_at)


async def page_of_contact(
    reading: Reading, contact_id: str, *, after: Place, size: int
) -> list[Conversation]:
    """A contact's conversations after a place, in any folder, newest activity first."""
    rows = await reading.raw.fetch(
        CONTACTS_PAGE + IN_ORDER,
        reading.workspace_id,
        contact_id,
        after.last_activity_time,
        after.conversation_id,
        size,
    )
    return [conversation_of(row) for row in rows]


async def newest_of(
    reading: Reading, contact_ids: Sequence[str], size: int
) -> dict[str, list[Conversation]]:
    """The newest conversations of each of some contacts, newest activity first."""
    rows = await reading.raw.fetch(
        NEWEST_OF_CONTACTS + IN_ORDER, reading.workspace_id, contact_ids, size
    )
    newest: dict[str, list[Conversation]] = {}
    for conversation in map(conversation_of, rows):
        newest.setdefault(conversation.contact.id, []).append(conversation)
    return newest
