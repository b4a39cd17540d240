"""What the AI knows and how it behaves."""

from __future__ import annotations

from chassis.ids import new_id
from inbox.assistant import v1 as assistant_v1
from tests.system.deeds.stage import SERVICE, Deed, Stage
from tests.system.services import within

PROVIDER_KEY = "secret-key-of-the-provider"


async def create_article(stage: Stage) -> None:
    created = await stage.to.knowledge.CreateArticle(
        assistant_v1.CreateArticleRequest(request_id=new_id(), title="Hours", body="9 to 5"),
        metadata=stage.owner,
    )
    stage.made["article"] = created.article.id


async def update_article(stage: Stage) -> None:
    await stage.to.knowledge.UpdateArticle(
        assistant_v1.UpdateArticleRequest(
            article_id=stage.made["article"], request_id=new_id(), body="9 to 6"
        ),
        metadata=stage.owner,
    )


async def delete_article(stage: Stage) -> None:
    await stage.to.knowledge.DeleteArticle(
        assistant_v1.DeleteArticleRequest(article_id=stage.made["article"], request_id=new_id()),
        metadata=stage.owner,
    )


async def update_assistant_settings(stage: Stage) -> None:
    stage.secrets.append(PROVIDER_KEY)
    await stage.to.assistant.UpdateAssistantSettings(
        assistant_v1.UpdateAssistantSettingsRequest(request_id=new_id(), api_key=PROVIDER_KEY),
        metadata=stage.owner,
    )


async def forget_conversations(stage: Stage) -> None:
    await stage.to.assistant.ForgetConversations(
        assistant_v1.ForgetConversationsRequest(
            conversation_ids=[stage.tenant.conversation_id], request_id=new_id()
        ),
        metadata=within(stage.tenant.workspace_id),
    )


DEEDS: dict[str, Deed] = {
    "KnowledgeService/CreateArticle": Deed(create_article),
    "KnowledgeService/UpdateArticle": Deed(update_article),
    "KnowledgeService/DeleteArticle": Deed(delete_article),
    "AssistantService/UpdateAssistantSettings": Deed(update_assistant_settings),
    "AssistantService/ForgetConversations": Deed(forget_conversations, by=SERVICE),
}
"""In an order in which they can be done."""
