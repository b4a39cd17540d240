"""The workspace's tags, and the rows by which conversations are listed by tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from chassis.database import Reading, Transaction
from services.conversation.model.conversation import Conversation
from services.conversation.model.counters import Movement
from services.conversation.model.faults import TagExists, TagNotFound
from services.conversation.model.tags import ALIASES, PRIORITY, Tag, TagColor
from services.conversation.store.rows import columns

ALL = "SELECT * FROM tags WHERE workspace_id = $1 AND NOT is_deleted"
BY_ID = "SELECT * FROM tags WHERE workspace_id = $1 AND id = $2"
LOCK = f"{BY_ID} FOR UPDATE"
# Against deletion: any number may hold them at once.
HOLD = """
SELECT id FROM tags WHERE workspace_id = $1 AND id = ANY ($2::uuid[]) AND NOT is_deleted
ORDER BY id FOR KEY SHARE
"""
ADD = """
INSERT INTO tags (workspace_id, id, key, display_name, color, create_time, is_deleted, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING RETURNING 1
"""
SAVE = """
UPDATE tags SET display_name = $3, color = $4, is_deleted = $5, version = $6
WHERE workspace_id = $1 AND id = $2
"""
TAKE = """
DELETE FROM conversation_tags USING unnest($2::uuid[], $3::uuid[]) AS taken (conversation, tag)
WHERE workspace_id = $1 AND conversation_id = conversation AND tag_id = tag
"""
GIVE = """
INSERT INTO conversation_tags (workspace_id, conversation_id, tag_id, channel_id, channel_kind,
                               folder, last_activity_time, is_unread)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                         $7::timestamptz[], $8::boolean[])
"""
MOVE = """
UPDATE conversation_tags
SET folder = moved.folder, last_activity_time = moved.last_activity_time,
    is_unread = moved.is_unread
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::boolean[])
    AS moved (conversation_id, folder, last_activity_time, is_unread)
WHERE conversation_tags.workspace_id = $1
  AND conversation_tags.conversation_id = moved.conversation_id
"""
FORGET = """
DELETE FROM conversation_tags WHERE ctid = ANY (ARRAY(
    SELECT forgotten.ctid FROM tags CROSS JOIN LATERAL (
        SELECT ctid FROM conversation_tags
        WHERE conversation_tags.workspace_id = $1 AND conversation_tags.tag_id = tags.id
        LIMIT $2 FOR UPDATE SKIP LOCKED
    ) AS forgotten
    WHERE tags.workspace_id = $1 AND tags.is_deleted
    LIMIT $2
))
"""


async def every(reading: Reading) -> list[Tag]:
    """The workspace's tags, the built-in first, then by key."""
    rows = await reading.raw.fetch(ALL, reading.workspace_id)
    found = {PRIORITY.id: PRIORITY} | {tag.id: tag for tag in map(_tag, rows)}
    return sorted(found.values(), key=lambda tag: (not tag.is_built_in, tag.key))


async def ids_of(reading: Reading, names: Iterable[str]) -> list[str]:
    """The ids of tags named by id, key or alias, each once, in order. Raises: TagNotFound."""
    names = set(names)
    if names <= {PRIORITY.id, *ALIASES}:
        return [PRIORITY.id] if names else []
    known = await every(reading)
    by_name = {tag.id: tag.id for tag in known} | {tag.key: tag.id for tag in known}
    ids = {by_name.get(ALIASES.get(name, name)) or _unknown(name) for name in names}
    return sorted(ids)


async def get(transaction: Transaction, tag_id: str) -> Tag:
    """A tag, also a deleted one. Raises: TagNotFound."""
    return _found(await transaction.raw.fetchrow(BY_ID, transaction.workspace_id, tag_id), tag_id)


async def lock(transaction: Transaction, tag_id: str) -> Tag:
    """A tag that nobody else changes, or holds, until the end. Raises: TagNotFound."""
    if tag_id == PRIORITY.id:
        await transaction.raw.execute(ADD, transaction.workspace_id, *_row(PRIORITY))
    row = await transaction.raw.fetchrow(LOCK, transaction.workspace_id, tag_id)
    tag = _found(row, tag_id)
    if tag.is_deleted:
        raise TagNotFound(tag_id)
    return tag


async def hold(transaction: Transaction, tag_ids: Iterable[str]) -> frozenset[str]:
    """Those of the tags that are not deleted, and will not be until the end."""
    wanted = set(tag_ids)
    built_in = wanted & {PRIORITY.id}
    if wanted == built_in:
        return frozenset(built_in)
    rows = await transaction.raw.fetch(HOLD, transaction.workspace_id, list(wanted))
    return frozenset(built_in | {str(row["id"]) for row in rows})


async def add(transaction: Transaction, tag: Tag) -> None:
    """Write a new tag. Raises: TagExists."""
    added = await transaction.raw.fetchval(ADD, transaction.workspace_id, *_row(tag))
    if not added:
        raise TagExists(tag.key)


async def save(transaction: Transaction, tag: Tag) -> None:
    """Write a locked tag."""
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        tag.id,
        tag.display_name,
        tag.color.value,
        tag.is_deleted,
        tag.version,
    )


async def follow(transaction: Transaction, movements: Sequence[Movement]) -> None:
    """Keep the rows of tagged conversations, which are locked, as the conversations are now."""
    taken, given, moved = [], [], []
    for before, after in movements:
        had = set(before.tag_ids) if before else set[str]()
        taken += [(after.id, tag_id) for tag_id in had - set(after.tag_ids)]
        given += [
            (after.id, tag_id, after.channel_id, after.channel_kind.value, *_place(after))
            for tag_id in set(after.tag_ids) - had
        ]
        if before and had & set(after.tag_ids) and _place(before) != _place(after):
            moved.append((after.id, *_place(after)))
    for statement, rows in ((TAKE, taken), (GIVE, given), (MOVE, moved)):
        if rows:
            await transaction.raw.execute(statement, transaction.workspace_id, *columns(rows))


async def forget(transaction: Transaction, size: int) -> int:
    """Remove some rows that deleted tags have left; says how many."""
    done = await transaction.raw.execute(FORGET, transaction.workspace_id, size)
    return int(done.rpartition(" ")[2])


def _place(conversation: Conversation) -> tuple[object, ...]:
    return (conversation.folder.value, conversation.last_activity_time, conversation.is_unread)


def _unknown(name: str) -> str:
    raise TagNotFound(name)


def _found(row: asyncpg.Record | None, tag_id: str) -> Tag:
    if row is not None:
        return _tag(row)
    if tag_id == PRIORITY.id:
        return PRIORITY
    raise TagNotFound(tag_id)


def _tag(row: asyncpg.Record) -> Tag:
    return Tag(
        id=str(row["id"]),
        key=row["key"],
        display_name=row["display_name"],
        color=TagColor(row["color"]),
        create_time=row["create_time"],
        is_deleted=row["is_deleted"],
        version=row["version"],
    )


def _row(tag: Tag) -> Sequence[object]:
    return (
        tag.id,
        tag.key,
        tag.display_name,
        tag.color.value,
        tag.create_time,
        tag.is_deleted,
        tag.version,
    )
