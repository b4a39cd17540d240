"""Events published: each change of what the AI owns is exactly one of these."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent, subject
from inbox.assistant import v1
from services.assistant.mapping import article_to, settings_to, turn_to
from services.assistant.model.articles import Article
from services.assistant.model.settings import AssistantSettings
from services.assistant.model.turns import Turn

STREAM = "INBOX_ASSISTANT"

PUBLISHES: dict[str, type[Message]] = {
    "article_changed": v1.ArticleChanged,
    "assistant_settings_changed": v1.AssistantSettingsChanged,
    "turn_ended": v1.TurnEnded,
}
"""Every event by the name it has in its subject."""
NAMES = {message: name for name, message in PUBLISHES.items()}


def article_changed(workspace_id: WorkspaceId, article: Article) -> OutgoingEvent:
    """An article was written, changed or deleted."""
    return _event(workspace_id, article.id, v1.ArticleChanged(article=article_to(article)))


def settings_changed(workspace_id: WorkspaceId, settings: AssistantSettings) -> OutgoingEvent:
    """How the AI behaves was changed."""
    event = v1.AssistantSettingsChanged(settings=settings_to(settings))
    return _event(workspace_id, workspace_id, event)


def turn_ended(workspace_id: WorkspaceId, turn: Turn) -> OutgoingEvent:
    """A turn of the AI ended."""
    return _event(workspace_id, turn.conversation_id, v1.TurnEnded(turn=turn_to(turn)))


def _event(workspace_id: WorkspaceId, ordering_key: str, event: Message) -> OutgoingEvent:
    return OutgoingEvent(
        subject=subject("assistant", NAMES[type(event)], workspace_id),
        workspace_id=workspace_id,
        ordering_key=ordering_key,
        payload=event.SerializeToString(deterministic=True),
    )
