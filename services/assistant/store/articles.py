"""Articles and their passages in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from chassis.database import Transaction
from services.assistant.model.articles import Article, Language, Passage, Search

COLUMNS = "id, title, body, language, create_time, update_time, version, is_deleted"
READ = f"SELECT {COLUMNS} FROM articles WHERE workspace_id = $1 AND id = $2"
LOCK = f"{READ} FOR NO KEY UPDATE"
COUNT = "SELECT count(*) FROM articles WHERE workspace_id = $1 AND NOT is_deleted"
LIST = f"""
SELECT {COLUMNS} FROM articles
WHERE workspace_id = $1 AND NOT is_deleted AND (create_time, id) < ($2::timestamptz, $3::uuid)
ORDER BY create_time DESC, id DESC LIMIT $4
"""
IN_ID_ORDER = f"""
SELECT {COLUMNS} FROM articles WHERE workspace_id = $1 AND id > $2::uuid ORDER BY id LIMIT $3
"""
SAVE = """
INSERT INTO articles
    (workspace_id, id, title, body, language, create_time, update_time, version, is_deleted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (workspace_id, id) DO UPDATE SET
    title = excluded.title, body = excluded.body, language = excluded.language,
    update_time = excluded.update_time, version = excluded.version,
    is_deleted = excluded.is_deleted
"""
FORGET_PASSAGES = "DELETE FROM passages WHERE workspace_id = $1 AND article_id = $2"
# A title's words are in each of the article's passages, and weigh more than its text's.
ADD_PASSAGES = """
INSERT INTO passages (workspace_id, article_id, number, language, text, search)
SELECT $1, $2, number, $3, text,
    setweight(to_tsvector(('knowledge_' || $3)::regconfig, $4), 'A')
    || setweight(to_tsvector(('knowledge_' || $3)::regconfig, text), 'B')
FROM unnest($5::text[]) WITH ORDINALITY AS parts (text, number)
"""
# The question is read in the language of each passage: so its small words fall away, and the others
# are reduced to the same stems. How many of these a passage has decides; rank only orders. A word
# alone says what an article is about only where it stands in the title; in the text it is chance.
SEARCH = """
WITH question AS MATERIALIZED (
    SELECT language, lexemes, to_tsquery('simple', (
        SELECT string_agg(quote_literal(lexeme), ' | ') FROM unnest(lexemes) AS lexeme)) AS any_of
    FROM (
        SELECT language, tsvector_to_array(
            to_tsvector(('knowledge_' || language)::regconfig, $2)) AS lexemes
        FROM unnest(ARRAY['english', 'spanish', 'portuguese']) AS languages (language)
    ) AS read
    WHERE cardinality(lexemes) > 0
), found AS (
    SELECT p.article_id, p.number, p.language, p.text,
        (SELECT count(*) FROM unnest(q.lexemes) AS lexeme
         WHERE p.search @@ to_tsquery('simple', quote_literal(lexeme)))
            * CASE WHEN cardinality(q.lexemes) > 1
                OR p.search @@ to_tsquery('simple', quote_literal(q.lexemes[1]) || ':A')
                THEN 100 ELSE 50 END
            / cardinality(q.lexemes) AS coverage,
        ts_rank(p.search, q.any_of) AS rank
    FROM passages p JOIN question q ON q.language = p.language
    WHERE p.workspace_id = $1 AND p.search @@ q.any_of
)
SELECT f.article_id, a.title, f.text, f.language, f.coverage
FROM found f JOIN articles a ON a.workspace_id = $1 AND a.id = f.article_id
ORDER BY f.coverage DESC, f.rank DESC, f.article_id, f.number LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list: what comes after it is on the next page."""

    create_time: datetime
    article_id: str


async def read(transaction: Transaction, article_id: str) -> Article | None:
    """One article, deleted ones too."""
    row = await transaction.raw.fetchrow(READ, transaction.workspace_id, article_id)
    return None if row is None else _article(row)


async def lock(transaction: Transaction, article_id: str) -> Article | None:
    """One article that nobody else changes until the end."""
    row = await transaction.raw.fetchrow(LOCK, transaction.workspace_id, article_id)
    return None if row is None else _article(row)


async def count(transaction: Transaction) -> int:
    """How many articles the workspace has."""
    counted: int = await transaction.raw.fetchval(COUNT, transaction.workspace_id)
    return counted


async def page(transaction: Transaction, after: Place, *, size: int) -> list[Article]:
    """Articles after a place, newest first."""
    rows = await transaction.raw.fetch(
        LIST, transaction.workspace_id, after.create_time, after.article_id, size
    )
    return [_article(row) for row in rows]


async def in_id_order(transaction: Transaction, after: str, *, size: int) -> list[Article]:
    """Articles after an id, deleted ones too."""
    rows = await transaction.raw.fetch(IN_ID_ORDER, transaction.workspace_id, after, size)
    return [_article(row) for row in rows]


async def save(transaction: Transaction, article: Article, passages: Sequence[str]) -> None:
    """Write an article, and what a search finds of it."""
    workspace_id, language = transaction.workspace_id, article.language.value
    await transaction.raw.execute(
        SAVE,
        workspace_id,
        article.id,
        article.title,
        article.body,
        language,
        article.create_time,
        article.update_time,
        article.version,
        article.is_deleted,
    )
    await transaction.raw.execute(FORGET_PASSAGES, workspace_id, article.id)
    if passages:
        await transaction.raw.execute(
            ADD_PASSAGES, workspace_id, article.id, language, article.title, list(passages)
        )


async def search(transaction: Transaction, wanted: Search) -> list[Passage]:
    """The passages that have the most of the words, the best first."""
    rows = await transaction.raw.fetch(SEARCH, transaction.workspace_id, wanted.words, wanted.size)
    return [
        Passage(
            article_id=str(row["article_id"]),
            title=row["title"],
            text=row["text"],
            language=Language(row["language"]),
            coverage_percent=row["coverage"],
        )
        for row in rows
    ]


def _article(row: asyncpg.Record) -> Article:
    return Article(
        id=str(row["id"]),
        title=row["title"],
        body=row["body"],
        language=Language(row["language"]),
        create_time=row["create_time"],
        update_time=row["update_time"],
        version=row["version"],
        is_deleted=row["is_deleted"],
    )
