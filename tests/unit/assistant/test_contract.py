"""The handlers as gRPC sees them, through grpcio-testing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from chassis.auth import Caller, Role, current_caller
from chassis.database import Database
from chassis.ids import WorkspaceId
from chassis.secrets import MasterKeys
from inbox.assistant import v1
from inbox.assistant.v1 import assistant_service_pb2, knowledge_service_pb2
from services.assistant.actions import articles, settings
from services.assistant.actions.means import Means
from services.assistant.actions.ports import Contacts
from services.assistant.actions.vault import Vault
from services.assistant.mapping import article_to, settings_to
from services.assistant.model.articles import Article, Language
from services.assistant.model.settings import AssistantSettings, ProviderHosts
from services.assistant.service.assistant import AssistantService
from services.assistant.service.knowledge import KnowledgeService
from tests.fakes import START, FakeClock
from tests.grpc_testing_adapter import Adapter

KNOWLEDGE = knowledge_service_pb2.DESCRIPTOR.services_by_name["KnowledgeService"]
ASSISTANT = assistant_service_pb2.DESCRIPTOR.services_by_name["AssistantService"]
ID = "018f0000-0000-7000-8000-00000000aaaa"
OWNER = Caller("member", Role.OWNER, WorkspaceId(ID))
ARTICLE = Article(ID, "Hours", "At nine.", Language.ENGLISH, START, START)


class Admitted:
    """A servicer behind a door that let an owner in, as `chassis.rpc` does."""

    def __init__(self, servicer: Any) -> None:
        self._servicer = servicer

    def __getattr__(self, method: str) -> Any:
        async def handle(request: Any, context: Any) -> Any:
            current_caller.set(OWNER)
            return await getattr(self._servicer, method)(request, context)

        return handle


@pytest.fixture
def servers() -> Iterator[dict[str, Any]]:
    """Without a database: whoever passes the checks of a request would find none."""
    no_database = cast("Database", None)
    vault = Vault(MasterKeys(base64.b64encode(b"m" * 32).decode()))
    nobody = cast("Contacts", None)
    means = Means(no_database, FakeClock(), vault, ProviderHosts.of(""), nobody, lambda: None)
    with ExitStack() as stack:
        yield {
            service.name: stack.enter_context(Adapter(Admitted(servicer), service)).server()
            for service, servicer in (
                (KNOWLEDGE, KnowledgeService(means)),
                (ASSISTANT, AssistantService(means, no_database)),
            )
        }


def call(
    servers: dict[str, Any], method: str, request: Any
) -> tuple[Any, grpc.StatusCode, ErrorInfo]:
    """The response, the status code, and the details of a refusal."""
    service = KNOWLEDGE if method in KNOWLEDGE.methods_by_name else ASSISTANT
    rpc = servers[service.name].invoke_unary_unary(service.methods_by_name[method], (), request, 5)
    response, trailing, code, _ = rpc.termination()
    info = ErrorInfo()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            Status.FromString(value).details[0].Unpack(info)
    return response, code, info


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("CreateArticle", v1.CreateArticleRequest(title="x"), "request_id"),
        ("CreateArticle", v1.CreateArticleRequest(request_id=ID), "title"),
        ("CreateArticle", v1.CreateArticleRequest(request_id=ID, title="x" * 121), "title"),
        (
            "CreateArticle",
            v1.CreateArticleRequest(request_id=ID, title="x", body="x" * 20_001),
            "body",
        ),
        ("GetArticle", v1.GetArticleRequest(article_id="x"), "article_id"),
        ("UpdateArticle", v1.UpdateArticleRequest(request_id=ID), "article_id"),
        ("UpdateArticle", v1.UpdateArticleRequest(article_id=ID), "request_id"),
        (
            "UpdateArticle",
            v1.UpdateArticleRequest(article_id=ID, request_id=ID, expected_version=-1),
            "expected_version",
        ),
        ("DeleteArticle", v1.DeleteArticleRequest(article_id=ID), "request_id"),
        ("ListArticles", v1.ListArticlesRequest(page_size=-1), "page_size"),
        ("SearchArticles", v1.SearchArticlesRequest(query=" "), "query"),
        ("SearchArticles", v1.SearchArticlesRequest(query="x" * 501), "query"),
        ("UpdateAssistantSettings", v1.UpdateAssistantSettingsRequest(), "request_id"),
        ("ListTurns", v1.ListTurnsRequest(conversation_id="x"), "conversation_id"),
        ("ForgetConversations", v1.ForgetConversationsRequest(request_id=ID), "conversation_ids"),
        (
            "ForgetConversations",
            v1.ForgetConversationsRequest(request_id=ID, conversation_ids=["x"]),
            "conversation_ids",
        ),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_before_the_database(
    servers: dict[str, Any], method: str, request_: Any, field: str
) -> None:
    _, code, info = call(servers, method, request_)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (info.reason, info.metadata["field"]) == ("INVALID_ARGUMENT", field)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ListArticles", v1.ListArticlesRequest(page_token="not one of ours")),
        ("ListTurns", v1.ListTurnsRequest(page_token="not one of ours")),
    ],
)
def test_a_made_up_page_token_is_refused(
    servers: dict[str, Any], method: str, request_: Any
) -> None:
    _, code, info = call(servers, method, request_)

    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


def test_the_handlers_answer_with_what_their_actions_give(
    servers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get_article(means: Means, workspace_id: WorkspaceId, article_id: str) -> Article:
        assert (workspace_id, article_id) == (OWNER.workspace_id, ID)
        return ARTICLE

    async def get_settings(means: Means, workspace_id: WorkspaceId) -> AssistantSettings:
        return AssistantSettings(display_name="Sol")

    monkeypatch.setattr(articles, "get_article", get_article)
    monkeypatch.setattr(settings, "get_settings", get_settings)

    article, code, _ = call(servers, "GetArticle", v1.GetArticleRequest(article_id=ID))
    shown, _, _ = call(servers, "GetAssistantSettings", v1.GetAssistantSettingsRequest())

    assert (code, article.article) == (grpc.StatusCode.OK, article_to(ARTICLE))
    assert shown.settings == settings_to(AssistantSettings(display_name="Sol"))
