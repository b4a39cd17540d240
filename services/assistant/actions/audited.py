"""What the audit keeps of the AI: its articles and its settings, never a provider's key."""

from __future__ import annotations

from dataclasses import asdict, fields

from chassis.audit import WITHHELD, Change, Fields
from services.assistant.model.articles import Article
from services.assistant.model.settings import AssistantSettings

NESTED = ("openai", "agent")


def article_changed(before: Article | None, after: Article) -> Change:
    """An article, new, changed or deleted."""
    earlier = None if before is None else _of_article(before)
    return Change.of("article", after.id, earlier, None if after.is_deleted else _of_article(after))


def settings_changed(
    workspace_id: str, before: AssistantSettings, after: AssistantSettings, api_key: str | None
) -> Change:
    """How the AI behaves; of a key only that it was given."""
    given = {"api_key": WITHHELD} if api_key else {}
    return Change.of(
        "assistant_settings", workspace_id, _of_settings(before), {**_of_settings(after), **given}
    )


def conversation_forgotten(conversation_id: str) -> Change:
    """What was said in a conversation is not kept any more."""
    return Change.of("conversation", conversation_id, {}, {"is_forgotten": True})


def _of_article(article: Article) -> Fields:
    return {"title": article.title, "body": article.body, "language": article.language}


def _of_settings(settings: AssistantSettings) -> Fields:
    kept = {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.name not in {"version", *NESTED}
    }
    for name in ("reply_delay", "longest_reply_delay", "answer_within"):
        kept[f"{name}_seconds"] = kept.pop(name).total_seconds()
    kept["allowed_tools"] = sorted(tool.value for tool in settings.allowed_tools)
    for name in NESTED:
        chosen = asdict(getattr(settings, name))
        kept |= {f"{name}.{field}": value for field, value in chosen.items()}
    return kept
