"""Protobuf to model and back; the only file that knows both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldInvalid
from chassis.events import SNAPSHOT_GPOS, Event
from inbox.assistant import v1
from inbox.messaging import v1 as messaging_v1
from services.assistant.model.articles import Article, Language, Passage
from services.assistant.model.settings import (
    MAX_API_KEY_CHARACTERS,
    AgentSettings,
    AssistantSettings,
    OpenAiSettings,
    ProviderKind,
    Tool,
)
from services.assistant.model.turns import (
    MAX_VALUE_HANDED_CHARACTERS,
    CollectedField,
    HandoverReason,
    Mode,
    News,
    Outcome,
    Speaker,
    ToolCall,
    Turn,
    shortened,
)

LANGUAGES = {
    Language.ENGLISH: v1.ARTICLE_LANGUAGE_ENGLISH,
    Language.SPANISH: v1.ARTICLE_LANGUAGE_SPANISH,
    Language.PORTUGUESE: v1.ARTICLE_LANGUAGE_PORTUGUESE,
}
LANGUAGES_FROM = {value: key for key, value in LANGUAGES.items()}
PROVIDERS = {
    ProviderKind.OFFLINE: v1.PROVIDER_KIND_OFFLINE,
    ProviderKind.OPENAI: v1.PROVIDER_KIND_OPENAI,
    ProviderKind.AGENT: v1.PROVIDER_KIND_AGENT,
    ProviderKind.NONE: v1.PROVIDER_KIND_NONE,
}
PROVIDERS_FROM = {value: key for key, value in PROVIDERS.items()}
TOOLS = {
    Tool.SEARCH_KNOWLEDGE: v1.TOOL_SEARCH_KNOWLEDGE,
    Tool.SAVE_CONTACT_FIELD: v1.TOOL_SAVE_CONTACT_FIELD,
    Tool.HAND_OVER: v1.TOOL_HAND_OVER,
}
TOOLS_FROM = {value: key for key, value in TOOLS.items()}
OUTCOMES = {
    Outcome.REPLIED: v1.TURN_OUTCOME_REPLIED,
    Outcome.HANDED_OVER: v1.TURN_OUTCOME_HANDED_OVER,
    Outcome.SUPERSEDED: v1.TURN_OUTCOME_SUPERSEDED,
    Outcome.TAKEN_OVER: v1.TURN_OUTCOME_TAKEN_OVER,
    Outcome.SILENCED: v1.TURN_OUTCOME_SILENCED,
    Outcome.REFUSED: v1.TURN_OUTCOME_REFUSED,
}
REASONS = {
    HandoverReason.CUSTOMER_ASKED: messaging_v1.HANDOVER_REASON_CUSTOMER_ASKED,
    HandoverReason.UNSURE: messaging_v1.HANDOVER_REASON_UNSURE,
    HandoverReason.PROVIDER_FAILED: messaging_v1.HANDOVER_REASON_PROVIDER_FAILED,
    HandoverReason.PROVIDER_SLOW: messaging_v1.HANDOVER_REASON_PROVIDER_SLOW,
    HandoverReason.OTHER: messaging_v1.HANDOVER_REASON_OTHER,
}
MODES_FROM = {
    messaging_v1.CONVERSATION_MODE_AI: Mode.AI,
    messaging_v1.CONVERSATION_MODE_MANUAL: Mode.MANUAL,
}
SPEAKERS_FROM = {
    messaging_v1.AUTHOR_KIND_CUSTOMER: Speaker.CUSTOMER,
    messaging_v1.AUTHOR_KIND_MEMBER: Speaker.PERSON,
    messaging_v1.AUTHOR_KIND_PHONE_APP: Speaker.PERSON,
    messaging_v1.AUTHOR_KIND_AI: Speaker.AI,
}
"""Everybody else is nobody: a row that tells what happened."""
PLAIN_SETTINGS = ("display_name", "instructions", "min_coverage_percent", "context_size")
SPANS = ("reply_delay", "longest_reply_delay", "answer_within")
DEFAULT_OPENAI = OpenAiSettings()


def news_from(
    event: Event, thread: messaging_v1.Thread, message: messaging_v1.Message | None = None
) -> News:
    """What an event of messaging says about a thread. Raises: FieldInvalid."""
    mode = MODES_FROM.get(thread.mode)
    if mode is None:
        raise FieldInvalid("thread.mode", "must be a mode this version knows")
    news = News(
        conversation_id=thread.conversation_id,
        log_epoch=event.epoch,
        thread_version=thread.version,
        mode=mode,
        mode_epoch=thread.mode_epoch,
        inbound_count=thread.inbound_count,
        at=event.time,
        is_snapshot=event.gpos == SNAPSHOT_GPOS,
    )
    if message is None:
        return news
    return replace(
        news,
        at=message.create_time.ToDatetime(tzinfo=UTC),
        speaker=speaker_of(message),
        ordinal=message.inbound_ordinal,
    )


def speaker_of(message: messaging_v1.Message) -> Speaker:
    """Who a message is from; a row for the team is from nobody, whoever caused it."""
    if message.direction == messaging_v1.MESSAGE_DIRECTION_INTERNAL:
        return Speaker.NOBODY
    return SPEAKERS_FROM.get(message.author.kind, Speaker.NOBODY)


def language_from(language: v1.ArticleLanguage.ValueType) -> Language | None:
    """None where it is to be found out. Raises: FieldInvalid."""
    if language == v1.ARTICLE_LANGUAGE_UNSPECIFIED:
        return None
    if language not in LANGUAGES_FROM:
        raise FieldInvalid("language", "must be a language this version knows")
    return LANGUAGES_FROM[language]


def article_to(article: Article) -> v1.Article:
    """An article for the wire."""
    return v1.Article(
        id=article.id,
        title=article.title,
        body=article.body,
        language=LANGUAGES[article.language],
        create_time=timestamp(article.create_time),
        update_time=timestamp(article.update_time),
        version=article.version,
        is_deleted=article.is_deleted,
    )


def passage_to(passage: Passage) -> v1.Passage:
    """A passage for the wire."""
    return v1.Passage(
        article_id=passage.article_id,
        title=passage.title,
        text=passage.text,
        coverage_percent=passage.coverage_percent,
    )


def settings_to(settings: AssistantSettings) -> v1.AssistantSettings:
    """The settings for the wire; the key is never among them."""
    return v1.AssistantSettings(
        provider=PROVIDERS[settings.provider],
        display_name=settings.display_name,
        instructions=settings.instructions,
        allowed_tools=[TOOLS[tool] for tool in Tool if tool in settings.allowed_tools],
        reply_delay=duration(settings.reply_delay),
        longest_reply_delay=duration(settings.longest_reply_delay),
        answer_within=duration(settings.answer_within),
        min_coverage_percent=settings.min_coverage_percent,
        context_size=settings.context_size,
        openai=v1.OpenAiSettings(
            base_url=settings.openai.base_url,
            model=settings.openai.model,
            max_output_tokens=settings.openai.max_output_tokens,
            max_turn_tokens=settings.openai.max_turn_tokens,
        ),
        agent=v1.AgentSettings(
            address=settings.agent.address, is_plaintext=settings.agent.is_plaintext
        ),
        has_api_key=settings.has_api_key,
        version=settings.version,
    )


def settings_news_from(request: v1.UpdateAssistantSettingsRequest) -> dict[str, Any]:
    """What a request changes, by the settings' field names; not the key. Raises: FieldInvalid."""
    news: dict[str, Any] = {}
    if request.provider != v1.PROVIDER_KIND_UNSPECIFIED:
        if request.provider not in PROVIDERS_FROM:
            raise FieldInvalid("provider", "must be a provider this version knows")
        news["provider"] = PROVIDERS_FROM[request.provider]
    given = {field.name: value for field, value in request.ListFields()}
    news |= {name: given[name] for name in PLAIN_SETTINGS if name in given}
    news |= {name: _span(name, given[name]) for name in SPANS if name in given}
    if request.HasField("allowed_tools"):
        news["allowed_tools"] = _tools(request.allowed_tools.tools)
    if request.HasField("openai"):
        openai = request.openai
        news["openai"] = OpenAiSettings(
            base_url=openai.base_url,
            model=openai.model,
            max_output_tokens=openai.max_output_tokens or DEFAULT_OPENAI.max_output_tokens,
            max_turn_tokens=openai.max_turn_tokens or DEFAULT_OPENAI.max_turn_tokens,
        )
    if request.HasField("agent"):
        agent = request.agent
        news["agent"] = AgentSettings(agent.address, agent.is_plaintext)
    return news


def api_key_from(request: v1.UpdateAssistantSettingsRequest) -> str | None:
    """The new key, "" to forget it, None to keep it. Raises: FieldInvalid."""
    if not request.HasField("api_key"):
        return None
    key = request.api_key
    # It becomes a header of a call: nothing in it may end one.
    if len(key) > MAX_API_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise FieldInvalid(
            "api_key", f"must have at most {MAX_API_KEY_CHARACTERS} printable ASCII characters"
        )
    return key


def turn_to(turn: Turn) -> v1.Turn:
    """A turn that ended, for the wire."""
    reason = turn.handover_reason
    return v1.Turn(
        id=turn.id,
        conversation_id=turn.conversation_id,
        number=turn.number,
        seen_ordinal=turn.seen_ordinal,
        mode_epoch=turn.mode_epoch,
        outcome=v1.TURN_OUTCOME_UNSPECIFIED if turn.outcome is None else OUTCOMES[turn.outcome],
        handover_reason=messaging_v1.HANDOVER_REASON_UNSPECIFIED
        if reason is None
        else REASONS[reason],
        provider=PROVIDERS[turn.provider],
        model=turn.usage.model,
        prompt_version=turn.usage.prompt_version,
        tool_calls=map(_tool_call_to, turn.tool_calls),
        article_ids=turn.article_ids,
        input_tokens=turn.usage.input_tokens,
        output_tokens=turn.usage.output_tokens,
        message_id=turn.message_id,
        start_time=timestamp(turn.start_time),
        end_time=None if turn.end_time is None else timestamp(turn.end_time),
        provider_duration=duration(timedelta(milliseconds=turn.usage.provider_millis)),
    )


def field_to(field: CollectedField) -> messaging_v1.CollectedField:
    """A detail for messaging, cut to what it takes."""
    value = shortened(field.value, at_most=MAX_VALUE_HANDED_CHARACTERS, in_bytes=False)
    return messaging_v1.CollectedField(key=field.key, value=value, source_seq=field.source_seq)


def timestamp(time: datetime) -> Timestamp:
    """A point in time for the wire."""
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def duration(span: timedelta) -> Duration:
    """A span for the wire."""
    given = Duration()
    given.FromTimedelta(span)
    return given


def _span(name: str, given: Duration) -> timedelta:
    try:
        return given.ToTimedelta()
    except (ValueError, OverflowError):
        raise FieldInvalid(name, "must be a duration") from None


def _tools(tools: Iterable[v1.Tool.ValueType]) -> frozenset[Tool]:
    named = list(tools)
    if any(tool not in TOOLS_FROM for tool in named):
        raise FieldInvalid("allowed_tools.tools", "must be tools this version knows")
    return frozenset(TOOLS_FROM[tool] for tool in named)


def _tool_call_to(call: ToolCall) -> v1.ToolCall:
    tool = v1.TOOL_UNSPECIFIED if call.tool is None else TOOLS[call.tool]
    return v1.ToolCall(tool=tool, is_refused=call.is_refused)
