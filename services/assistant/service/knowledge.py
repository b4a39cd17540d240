"""KnowledgeService: what the AI of a workspace knows."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.assistant import v1
from services.assistant.actions import articles as actions
from services.assistant.actions.articles import BEFORE_ALL
from services.assistant.actions.means import Means
from services.assistant.mapping import article_to, language_from, passage_to
from services.assistant.model.articles import MAX_QUERY_CHARACTERS
from services.assistant.store.articles import Place

DEFAULT_PASSAGES = 5
MAX_PASSAGES = 20


class KnowledgeService(v1.KnowledgeServiceServicer):
    """Articles."""

    def __init__(self, means: Means) -> None:
        """`means` are those of the app role."""
        self._means = means

    async def CreateArticle(
        self, request: v1.CreateArticleRequest, context: Context
    ) -> v1.CreateArticleResponse:
        """Adds an article."""
        article = await actions.create_article(
            self._means,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            title=request.title,
            body=request.body,
            language=language_from(request.language),
        )
        return v1.CreateArticleResponse(article=article_to(article))

    async def GetArticle(
        self, request: v1.GetArticleRequest, context: Context
    ) -> v1.GetArticleResponse:
        """Gets one article."""
        article = await actions.get_article(
            self._means, require_caller().workspace, parse_id("article_id", request.article_id)
        )
        return v1.GetArticleResponse(article=article_to(article))

    async def UpdateArticle(
        self, request: v1.UpdateArticleRequest, context: Context
    ) -> v1.UpdateArticleResponse:
        """Changes an article."""
        article = await actions.update_article(
            self._means,
            require_caller(),
            parse_id("article_id", request.article_id),
            request_id=parse_id("request_id", request.request_id),
            title=request.title if request.HasField("title") else None,
            body=request.body if request.HasField("body") else None,
            language=language_from(request.language),
            expected_version=requests.not_negative("expected_version", request.expected_version),
        )
        return v1.UpdateArticleResponse(article=article_to(article))

    async def DeleteArticle(
        self, request: v1.DeleteArticleRequest, context: Context
    ) -> v1.DeleteArticleResponse:
        """Deletes an article."""
        article = await actions.delete_article(
            self._means,
            require_caller(),
            parse_id("article_id", request.article_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=requests.not_negative("expected_version", request.expected_version),
        )
        return v1.DeleteArticleResponse(article=article_to(article))

    async def ListArticles(
        self, request: v1.ListArticlesRequest, context: Context
    ) -> v1.ListArticlesResponse:
        """Lists articles, newest first."""
        query = ("ListArticles",)
        position = paging.position_in(request.page_token, query, (time_in_token, id_in_token))
        page = await actions.list_articles(
            self._means,
            require_caller().workspace,
            after=Place(*position) if position else BEFORE_ALL,
            page_size=requests.page_size(request.page_size),
        )
        following = page.next_place
        return v1.ListArticlesResponse(
            articles=map(article_to, page.articles),
            next_page_token=paging.next_token(
                query, (following.create_time.isoformat(), following.article_id)
            )
            if following
            else "",
        )

    async def SearchArticles(
        self, request: v1.SearchArticlesRequest, context: Context
    ) -> v1.SearchArticlesResponse:
        """Finds the passages that answer a question."""
        query = request.query.strip()
        if not query or len(query) > MAX_QUERY_CHARACTERS:
            raise FieldInvalid("query", f"must have 1 to {MAX_QUERY_CHARACTERS} characters")
        found = await actions.search_articles(
            self._means,
            require_caller().workspace,
            query,
            size=requests.page_size(
                request.page_size, default=DEFAULT_PASSAGES, at_most=MAX_PASSAGES
            ),
        )
        return v1.SearchArticlesResponse(passages=map(passage_to, found))


def time_in_token(part: str) -> datetime:
    """A point in time from a page token. Raises: ValueError."""
    time = datetime.fromisoformat(part)
    if time.tzinfo is None:
        raise ValueError("not a point in time")
    return time.astimezone(UTC)


def id_in_token(part: str) -> str:
    """An id from a page token. Raises: ValueError."""
    return str(UUID(part))
