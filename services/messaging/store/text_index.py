"""What messages say, written down by words; and how far that has come.

One transaction at a time writes: each begins by locking the row of `text_index`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.row_security import workspaces_setting
from services.messaging.model.search import (
    SEARCHED_DIRECTIONS,
    UNSEARCHED_AUTHORS,
    SearchableMessage,
)
from services.messaging.store.rows import SEARCHABLE_COLUMNS, searchable_of

TAKE_TURN = "SELECT pg_try_advisory_lock(hashtext('inbox.text_index'))"

STAND_IN = "SELECT set_config('inbox.workspace', $1, true)"
READ = """
SELECT log_epoch, gpos, event_time, walk_workspace_id::text, walk_message_id::text FROM text_index
"""
MOVE = "UPDATE text_index SET gpos = $1, event_time = $2"
BEGIN_WALK = """
UPDATE text_index SET log_epoch = $1, gpos = $2, walk_workspace_id = $3, walk_message_id = $3
"""
WALK_ON = "UPDATE text_index SET walk_workspace_id = $1, walk_message_id = $2"
WORKSPACE_AFTER = """
SELECT w.workspace_id::text FROM log_workspaces w WHERE w.workspace_id > $1
ORDER BY w.workspace_id LIMIT 1
"""
MESSAGES_BEFORE = """
SELECT m.id::text FROM messages m WHERE m.workspace_id = $1 AND m.id < $2
ORDER BY m.id DESC LIMIT $3
"""
# The text as it is now, not as an event told it: it may have been erased meanwhile. OFFSET 0 makes
# the planner look messages up one by one, however few rows it believes there are.
NOT_INDEXED = f"""
SELECT m.*, n.workspace_id::text FROM unnest($1::uuid[], $2::uuid[]) AS n(workspace_id, id)
CROSS JOIN LATERAL (
    SELECT {SEARCHABLE_COLUMNS} FROM messages m
    JOIN threads t ON t.workspace_id = n.workspace_id AND t.conversation_id = m.conversation_id
    WHERE m.workspace_id = n.workspace_id AND m.id = n.id
      AND m.direction = ANY($3) AND m.author_kind <> ALL($4)
      AND NOT EXISTS (
          SELECT FROM message_texts i
          WHERE i.workspace_id = n.workspace_id AND i.message_id = m.id)
    OFFSET 0
) AS m
ORDER BY m.id
"""
# `xmax` is 0 for a row that was inserted, not updated.
ADD = """
WITH n AS MATERIALIZED (
    SELECT workspace_id, message_id, conversation_id, seq, channel_id, direction, create_time,
        string_to_array(words, ' ') AS words
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[],
                $7::timestamptz[], $8::text[])
        AS n(workspace_id, message_id, conversation_id, seq, channel_id, direction, create_time,
             words)
), new_texts AS (
    INSERT INTO message_texts (
        workspace_id, message_id, conversation_id, seq, channel_id, direction, create_time, words)
    SELECT workspace_id, message_id, conversation_id, seq, channel_id, direction, create_time,
        words
    FROM n
), each AS MATERIALIZED (
    SELECT n.workspace_id, w.word, n.create_time, n.message_id FROM n, unnest(n.words) AS w(word)
), new_words AS (
    INSERT INTO message_words (workspace_id, word, create_time, message_id)
    SELECT workspace_id, word, create_time, message_id FROM each
    ORDER BY workspace_id, word, create_time, message_id
)
INSERT INTO words AS w (workspace_id, word, message_count)
SELECT workspace_id, word, count(*) FROM each GROUP BY workspace_id, word
ORDER BY workspace_id, word
ON CONFLICT (workspace_id, word)
    DO UPDATE SET message_count = w.message_count + excluded.message_count
RETURNING w.workspace_id::text, w.word, w.xmax = 0 AS is_new
"""
ADD_ENDINGS = """
INSERT INTO word_endings (workspace_id, ending, word)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(workspace_id, ending, word)
ORDER BY workspace_id, ending, word
"""
FORGET = """
WITH forgotten AS MATERIALIZED (
    DELETE FROM message_texts WHERE workspace_id = $1 AND message_id = ANY (ARRAY(
        SELECT message_id FROM message_texts
        WHERE workspace_id = $1 AND conversation_id = ANY($2) LIMIT $3))
    RETURNING message_id, create_time, words
), each AS MATERIALIZED (
    SELECT w.word, f.create_time, f.message_id FROM forgotten f, unnest(f.words) AS w(word)
), gone AS (
    DELETE FROM message_words m USING each e
    WHERE m.workspace_id = $1 AND m.word = e.word AND m.create_time = e.create_time
      AND m.message_id = e.message_id
)
UPDATE words w SET message_count = w.message_count - e.message_count
FROM (SELECT word, count(*) AS message_count FROM each GROUP BY word) e
WHERE w.workspace_id = $1 AND w.word = e.word
RETURNING w.word, w.message_count, (SELECT count(*) FROM forgotten) AS forgotten_count
"""
DROP_WORDS = "DELETE FROM words WHERE workspace_id = $1 AND word = ANY($2)"
DROP_ENDINGS = """
DELETE FROM word_endings e USING unnest($2::text[], $3::text[]) AS n(ending, word)
WHERE e.workspace_id = $1 AND e.ending = n.ending AND e.word = n.word
"""

Named = tuple[WorkspaceId, str]
"""A message's workspace and id."""
Found = tuple[WorkspaceId, SearchableMessage]


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through all messages, from the newest of each workspace to its oldest."""

    workspace_id: str
    message_id: str
    """The older ones of that workspace, and those of later workspaces, are still to come."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Messages that were taken out of the index."""

    message_count: int
    words: dict[str, int]
    """Their words, and how many other messages have each."""


@dataclass(frozen=True, slots=True)
class IndexStand:
    """How far the index has come."""

    log_epoch: str
    gpos: int
    """The newest position of the log that is in it."""
    event_time: datetime | None
    walk: Walk | None
    """Under way when the log alone does not tell everything."""


async def read(transaction: Transaction, *, lock: bool = False) -> IndexStand:
    """How far it has come. Locked, the row stays as it is until the transaction ends."""
    row = await transaction.raw.fetchrow(f"{READ} FOR UPDATE" if lock else READ)
    if row is None:
        raise LookupError("text_index has no row: the database was not migrated completely")
    walk = None if row[3] is None else Walk(row[3], row[4])
    return IndexStand(row[0], row[1], row[2], walk)


async def move(transaction: Transaction, gpos: int, event_time: datetime) -> None:
    """The index has everything up to a position."""
    await transaction.raw.execute(MOVE, gpos, event_time)


async def begin_walk(transaction: Transaction, log_epoch: str, gpos: int, start: str) -> None:
    """What is up to a position will be found by walking; what comes after it, in the log."""
    await transaction.raw.execute(BEGIN_WALK, log_epoch, gpos, start)


async def walk_on(transaction: Transaction, walk: Walk | None) -> None:
    """The walk came this far; None at its end."""
    place = (None, None) if walk is None else (walk.workspace_id, walk.message_id)
    await transaction.raw.execute(WALK_ON, *place)


async def workspace_after(transaction: Transaction, workspace_id: str) -> str | None:
    """The next workspace that ever had a message."""
    found: str | None = await transaction.raw.fetchval(WORKSPACE_AFTER, workspace_id)
    return found


async def messages_before(transaction: Transaction, message_id: str, *, limit: int) -> list[str]:
    """Ids of older messages of the transaction's workspace, newest first."""
    rows = await transaction.raw.fetch(MESSAGES_BEFORE, transaction.workspace_id, message_id, limit)
    return [row[0] for row in rows]


async def stand_in(transaction: Transaction, workspace_ids: Iterable[WorkspaceId]) -> None:
    """Go on in several workspaces at once, in the worker's transaction."""
    await transaction.raw.execute(STAND_IN, workspaces_setting(workspace_ids))


async def not_indexed(transaction: Transaction, named: Sequence[Named]) -> list[Found]:
    """Those that can be searched for and are not in the index yet."""
    rows = await transaction.raw.fetch(
        NOT_INDEXED,
        [workspace_id for workspace_id, _ in named],
        [message_id for _, message_id in named],
        [direction.value for direction in SEARCHED_DIRECTIONS],
        [kind.value for kind in UNSEARCHED_AUTHORS],
    )
    return [(WorkspaceId(row["workspace_id"]), searchable_of(row)) for row in rows]


async def add(
    transaction: Transaction, said: Sequence[tuple[Found, Sequence[str]]]
) -> list[tuple[WorkspaceId, str]]:
    """Add messages with their words; returns the words that their workspaces did not have."""
    messages = [message for (_, message), _ in said]
    rows = await transaction.raw.fetch(
        ADD,
        [workspace_id for (workspace_id, _), _ in said],
        [message.id for message in messages],
        [message.conversation_id for message in messages],
        [message.seq for message in messages],
        [message.channel_id for message in messages],
        [message.direction.value for message in messages],
        [message.create_time for message in messages],
        [" ".join(words) for _, words in said],
    )
    return [(WorkspaceId(row["workspace_id"]), row["word"]) for row in rows if row["is_new"]]


async def add_endings(
    transaction: Transaction, endings: Sequence[tuple[WorkspaceId, str, str]]
) -> None:
    """Add endings of new words: the workspace, the ending, the word."""
    if endings:
        await transaction.raw.execute(ADD_ENDINGS, *map(list, zip(*endings, strict=True)))


async def forget(
    transaction: Transaction, conversation_ids: Sequence[str], *, limit: int
) -> Forgotten | None:
    """Take some messages of conversations out; None when there are no more."""
    rows = await transaction.raw.fetch(FORGET, transaction.workspace_id, conversation_ids, limit)
    if not rows:
        return None
    words = {row["word"]: row["message_count"] for row in rows}
    return Forgotten(rows[0]["forgotten_count"], words)


async def drop_words(transaction: Transaction, endings: Mapping[str, Sequence[str]]) -> None:
    """Drop words that no message has any more, given with their endings."""
    await transaction.raw.execute(DROP_WORDS, transaction.workspace_id, list(endings))
    await transaction.raw.execute(DROP_ENDINGS, transaction.workspace_id, *_pairs(endings))


def _pairs(endings: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    pairs = [(ending, word) for word, each in endings.items() for ending in each]
    return [ending for ending, _ in pairs], [word for _, word in pairs]
