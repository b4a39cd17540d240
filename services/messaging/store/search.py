"""Searching: the words of a workspace, and the messages that have them, newest first.

Every statement looks at a bounded number of rows, whatever is asked and however much there is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.search import (
    MAX_STAND_INS,
    Look,
    SearchableMessage,
    SearchQuery,
)
from services.messaging.model.words import MIN_INNER_LENGTH
from services.messaging.store.rows import SEARCHABLE_COLUMNS, searchable_of

MAX_PARTS_SEEN = 2_000
"""Words and endings that begin with a part; more are not looked at."""
LAST_CHARACTER = "\U0010ffff"
FIRST_VALUE = 7
"""The number of the first value that depends on the query."""

KNOWN = """
SELECT word, message_count FROM words WHERE workspace_id = $1 AND word = ANY($2)
ORDER BY message_count DESC, word LIMIT $3
"""
# What begins with a part and, where $5 says so, what has it inside.
WITH_PART = """
SELECT w.word, w.message_count FROM (
    (SELECT word FROM words WHERE workspace_id = $1 AND word >= $2 AND word < $3 LIMIT $4)
    UNION
    (SELECT word FROM word_endings
     WHERE $5 AND workspace_id = $1 AND ending >= $2 AND ending < $3 LIMIT $4)
) AS p CROSS JOIN LATERAL (
    SELECT * FROM words w WHERE w.workspace_id = $1 AND w.word = p.word OFFSET 0
) AS w
ORDER BY w.message_count DESC, w.word LIMIT $6
"""
# The newest messages of each word, as many of each; `place` counts them.
LISTED_BY_WORD = """
SELECT w.create_time, w.message_id, w.place
FROM unnest($7::text[]) AS driver(word) CROSS JOIN LATERAL (
    SELECT create_time, message_id,
        row_number() OVER (ORDER BY create_time DESC, message_id DESC) AS place
    FROM message_words
    WHERE workspace_id = $1 AND word = driver.word
      AND create_time >= $2 AND (create_time, message_id) < ($3, $4)
    ORDER BY create_time DESC, message_id DESC LIMIT $5) AS w
"""
LISTED_BY_CONVERSATION = """
SELECT create_time, message_id,
    row_number() OVER (ORDER BY create_time DESC, message_id DESC) AS place
FROM message_texts
WHERE workspace_id = $1 AND conversation_id = $7
  AND create_time >= $2 AND (create_time, message_id) < ($3, $4)
ORDER BY create_time DESC, message_id DESC LIMIT $5
"""
# A list that was cut at its limit goes on below its last message, so nothing older than the
# highest such end may be told yet: a newer one could be missing. OFFSET 0 keeps the planner from
# joining whole tables or sorting late, however few rows it believes there are.
FIND = """
WITH listed AS MATERIALIZED ({listed}
), cut AS (
    SELECT create_time, message_id FROM listed WHERE place = $5
    ORDER BY create_time DESC, message_id DESC LIMIT 1
), candidates AS (
    SELECT DISTINCT create_time, message_id FROM listed l
    WHERE NOT EXISTS (
        SELECT FROM cut WHERE (l.create_time, l.message_id) < (cut.create_time, cut.message_id))
    ORDER BY create_time DESC, message_id DESC OFFSET 0
), found AS MATERIALIZED (
    SELECT t.* FROM candidates c CROSS JOIN LATERAL (
        SELECT * FROM message_texts t
        WHERE t.workspace_id = $1 AND t.message_id = c.message_id AND {conditions} OFFSET 0
    ) AS t
    ORDER BY c.create_time DESC, c.message_id DESC LIMIT $6
), said AS (
    SELECT m.* FROM found t CROSS JOIN LATERAL (
        SELECT {columns} FROM messages m
        WHERE m.workspace_id = $1 AND m.conversation_id = t.conversation_id AND m.seq = t.seq
        OFFSET 0
    ) AS m
)
SELECT said.*, cut.create_time AS cut_time, cut.message_id::text AS cut_id
FROM (SELECT) AS one LEFT JOIN cut ON true LEFT JOIN said ON true
ORDER BY said.create_time DESC, said.id DESC
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What one statement found."""

    messages: list[SearchableMessage]
    """Newest first."""
    cut: tuple[datetime, str] | None
    """Everything down to this message was looked at; None where there is nothing below."""


async def known_words(transaction: Transaction, words: Collection[str]) -> dict[str, int]:
    """Those of some words that the workspace has: the most used, with their numbers of messages."""
    rows = await transaction.raw.fetch(KNOWN, transaction.workspace_id, list(words), MAX_STAND_INS)
    return {row["word"]: row["message_count"] for row in rows}


async def words_with(transaction: Transaction, part: str) -> dict[str, int]:
    """Words that begin with a part or, if it is not too short, have it inside: the most used."""
    rows = await transaction.raw.fetch(
        WITH_PART,
        transaction.workspace_id,
        part,
        part + LAST_CHARACTER,
        MAX_PARTS_SEEN,
        len(part) >= MIN_INNER_LENGTH,
        MAX_STAND_INS,
    )
    return {row["word"]: row["message_count"] for row in rows}


async def find(
    transaction: Transaction,
    query: SearchQuery,
    look: Look,
    *,
    since: datetime,
    before: tuple[datetime, str],
    look_at: int,
    limit: int,
) -> Page:
    """Messages that fit exactly, newest first, among the next `look_at` of those that might."""
    statement, values = find_statement(query, look)
    list_limit = look_at if query.conversation_id else max(1, look_at // len(look.drivers))
    rows = await transaction.raw.fetch(
        statement, transaction.workspace_id, since, *before, list_limit, limit, *values
    )
    cut = None if rows[0]["cut_id"] is None else (rows[0]["cut_time"], rows[0]["cut_id"])
    return Page([searchable_of(row) for row in rows if row["id"] is not None], cut)


def find_statement(query: SearchQuery, look: Look) -> tuple[str, list[object]]:
    """The statement, and its values from $7 on; see `find` for those before."""
    values: list[object] = [query.conversation_id or look.drivers]
    conditions: list[str] = []

    def bound(value: object) -> str:
        values.append(value)
        return f"${FIRST_VALUE + len(values) - 1}"

    if query.channel_id:
        conditions.append(f"t.channel_id = {bound(query.channel_id)}")
    if query.direction is not None:
        conditions.append(f"t.direction = {bound(query.direction.value)}")
    conditions += [f"t.words && {bound(words)}::text[]" for words in look.required]
    if look.better is not None:
        every = " AND ".join(f"t.words && {bound(words)}::text[]" for words in look.better)
        conditions.append(f"NOT ({every})")
    statement = FIND.format(
        listed=LISTED_BY_CONVERSATION if query.conversation_id else LISTED_BY_WORD,
        conditions=" AND ".join(conditions),
        columns=SEARCHABLE_COLUMNS,
    )
    return statement, values
