"""Somebody with an owner's credential, over gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from chassis.ids import new_id
from chassis.rpc import remote_fault
from inbox.assistant import v1
from tests.service.assistant.desk import Desk


@dataclass
class Owner:
    """Somebody with an owner's credential."""

    knowledge: v1.KnowledgeServiceStub
    assistant: v1.AssistantServiceStub

    async def writes(self, title: str, body: str = "", **fields: Any) -> v1.Article:
        request = v1.CreateArticleRequest(
            **{"request_id": new_id(), "title": title, "body": body} | fields
        )
        return (await self.knowledge.CreateArticle(request)).article

    async def lists(self) -> list[v1.Article]:
        return list((await self.knowledge.ListArticles(v1.ListArticlesRequest())).articles)

    async def searches(self, query: str) -> list[v1.Passage]:
        request = v1.SearchArticlesRequest(query=query)
        return list((await self.knowledge.SearchArticles(request)).passages)

    async def updates(self, **fields: Any) -> v1.AssistantSettings:
        request = v1.UpdateAssistantSettingsRequest(**{"request_id": new_id()} | fields)
        return (await self.assistant.UpdateAssistantSettings(request)).settings

    async def settings(self) -> v1.AssistantSettings:
        request = v1.GetAssistantSettingsRequest()
        return (await self.assistant.GetAssistantSettings(request)).settings


async def refusal(call: Any) -> tuple[str, dict[str, str]]:
    """The reason of a refused call, and its values."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    fault = remote_fault(caught.value)
    return fault.reason, fault.metadata


async def assert_events_tell_everything(desk: Desk, owner: Owner) -> None:
    """The law of live updates: an empty snapshot + all events = a fresh snapshot."""
    articles: dict[str, v1.Article] = {}
    settings = v1.AssistantSettings()
    for event in await desk.published():
        if isinstance(event, v1.ArticleChanged):
            known = articles.get(event.article.id)
            assert known is None or known.version + 1 == event.article.version
            articles[event.article.id] = event.article
        elif isinstance(event, v1.AssistantSettingsChanged):
            assert event.settings.version == settings.version + 1
            settings = event.settings
    living = [article for article in articles.values() if not article.is_deleted]
    assert sorted(living, key=lambda one: one.id) == sorted(
        await owner.lists(), key=lambda one: one.id
    )
    if settings.version:
        assert settings == await owner.settings()
