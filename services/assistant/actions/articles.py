"""Writing, finding and deleting articles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis import audit
from chassis.auth import Caller
from chassis.database import Transaction
from chassis.ids import WorkspaceId, new_id
from services.assistant import events
from services.assistant.actions import audited
from services.assistant.actions.means import Means
from services.assistant.model import articles as rules
from services.assistant.model import phrases
from services.assistant.model.articles import (
    MAX_ARTICLES,
    Article,
    Language,
    Passage,
    Search,
    passages_of,
)
from services.assistant.model.faults import ArticleNotFound, TooManyArticles
from services.assistant.store import articles as store
from services.assistant.store import requests
from services.assistant.store.articles import Place

CREATE = "KnowledgeService/CreateArticle"
UPDATE = "KnowledgeService/UpdateArticle"
DELETE = "KnowledgeService/DeleteArticle"
BEFORE_ALL = Place(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the list of articles."""

    articles: list[Article]
    next_place: Place | None
    """None after the last page."""


async def create_article(
    means: Means,
    caller: Caller,
    *,
    request_id: str,
    title: str,
    body: str,
    language: Language | None,
) -> Article:
    """Write a new article. A repeat returns the one that is there.

    Raises: FieldInvalid, TooManyArticles, IdempotencyKeyReused, ArticleNotFound (it was deleted).
    """
    title, body = rules.checked_title(title), rules.checked_body(body)
    at = means.clock.now()
    article = Article(
        id=new_id(),
        title=title,
        body=body,
        language=rules.language_of(title, body, language),
        create_time=at,
        update_time=at,
    )
    async with means.database.begin(caller.workspace) as transaction:
        repeated = await requests.remember(
            transaction,
            request_id,
            method="CreateArticle",
            digest=requests.digest_of(title, body, str(language)),
            entity_id=article.id,
            at=at,
        )
        if repeated is not None:
            return await _get(transaction, repeated)
        if await store.count(transaction) >= MAX_ARTICLES:
            raise TooManyArticles(MAX_ARTICLES)
        await _save(means, transaction, caller.workspace, article)
        changes = [audited.article_changed(None, article)]
        await audit.append(transaction, caller, CREATE, changes, at=at)
    return article


async def get_article(means: Means, workspace_id: WorkspaceId, article_id: str) -> Article:
    """One article. Raises: ArticleNotFound."""
    async with means.database.begin(workspace_id) as transaction:
        return await _get(transaction, article_id)


async def update_article(
    means: Means,
    caller: Caller,
    article_id: str,
    *,
    request_id: str,
    title: str | None,
    body: str | None,
    language: Language | None,
    expected_version: int,
) -> Article:
    """Change what is given. A repeat changes nothing and returns the article as it is.

    Raises: FieldInvalid, ArticleNotFound, VersionConflict, IdempotencyKeyReused.
    """
    title = None if title is None else rules.checked_title(title)
    body = None if body is None else rules.checked_body(body)
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        before = await _lock(transaction, article_id)
        repeated = await requests.remember(
            transaction,
            request_id,
            method="UpdateArticle",
            digest=requests.digest_of(
                article_id, str((title, body)), str(language), expected_version
            ),
            entity_id=article_id,
            at=at,
        )
        if repeated is not None:
            return before
        after = rules.changed(
            before,
            title=title,
            body=body,
            language=language,
            expected_version=expected_version,
            at=at,
        )
        if after is not before:
            await _save(means, transaction, caller.workspace, after)
            changes = [audited.article_changed(before, after)]
            await audit.append(transaction, caller, UPDATE, changes, at=at)
    return after


async def delete_article(
    means: Means,
    caller: Caller,
    article_id: str,
    *,
    request_id: str,
    expected_version: int,
) -> Article:
    """Delete an article: no answer quotes it from now on. A repeat changes nothing.

    Raises: ArticleNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        before = await store.lock(transaction, article_id)
        if before is None:
            raise ArticleNotFound(article_id)
        repeated = await requests.remember(
            transaction,
            request_id,
            method="DeleteArticle",
            digest=requests.digest_of(article_id, expected_version),
            entity_id=article_id,
            at=at,
        )
        if repeated is not None:
            return before
        if before.is_deleted:
            raise ArticleNotFound(article_id)
        after = rules.deleted(before, expected_version=expected_version, at=at)
        await _save(means, transaction, caller.workspace, after)
        changes = [audited.article_changed(before, after)]
        await audit.append(transaction, caller, DELETE, changes, at=at)
    return after


async def list_articles(
    means: Means, workspace_id: WorkspaceId, *, after: Place, page_size: int
) -> Page:
    """Part of the list, newest first."""
    async with means.database.begin(workspace_id) as transaction:
        # One more than shown tells whether there is another page.
        found = await store.page(transaction, after, size=page_size + 1)
    shown = found[:page_size]
    if len(found) == len(shown):
        return Page(shown, None)
    return Page(shown, Place(shown[-1].create_time, shown[-1].id))


async def search_articles(
    means: Means, workspace_id: WorkspaceId, query: str, *, size: int
) -> list[Passage]:
    """The passages that have the most of the question's words; none for small talk."""
    words = phrases.question_in(query)
    if not words:
        return []
    async with means.database.begin(workspace_id) as transaction:
        return await store.search(transaction, Search(words, size))


async def _get(transaction: Transaction, article_id: str) -> Article:
    article = await store.read(transaction, article_id)
    if article is None or article.is_deleted:
        raise ArticleNotFound(article_id)
    return article


async def _lock(transaction: Transaction, article_id: str) -> Article:
    article = await store.lock(transaction, article_id)
    if article is None or article.is_deleted:
        raise ArticleNotFound(article_id)
    return article


async def _save(
    means: Means, transaction: Transaction, workspace_id: WorkspaceId, article: Article
) -> None:
    await store.save(transaction, article, passages_of(article))
    await means.publish(transaction, [events.article_changed(workspace_id, article)])
