"""How the AI behaves in a workspace, and what of it can be chosen."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from chassis.errors import FieldInvalid, VersionConflict
from services.assistant.model.faults import ProviderHostNotAllowed, ProviderIncomplete

MAX_NAME_CHARACTERS = 80
MAX_INSTRUCTIONS_CHARACTERS = 4_000
MAX_MODEL_CHARACTERS = 120
MAX_API_KEY_CHARACTERS = 500
LONGEST_DELAY = timedelta(seconds=30)
LONGEST_LONGEST_DELAY = timedelta(seconds=60)
SHORTEST_ANSWER = timedelta(seconds=1)
LONGEST_ANSWER = timedelta(seconds=55)
MAX_CONTEXT = 100
FULL_COVERAGE = 100
OUTPUT_TOKENS = range(16, 4_096 + 1)
TURN_TOKENS = range(1_000, 200_000 + 1)
ANY_HOST = "*"


class ProviderKind(enum.Enum):
    """Where answers come from; values are the names in SQL."""

    OFFLINE = "offline"
    OPENAI = "openai"
    AGENT = "agent"
    NONE = "none"
    """Nobody here: a program with a bot's key answers by itself."""


class Tool(enum.Enum):
    """What the AI may do besides writing; values are the names providers use."""

    SEARCH_KNOWLEDGE = "search_knowledge"
    SAVE_CONTACT_FIELD = "save_contact_field"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class OpenAiSettings:
    """An endpoint that speaks the OpenAI chat API."""

    base_url: str = ""
    model: str = ""
    max_output_tokens: int = 600
    max_turn_tokens: int = 20_000


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """A program of a team that serves AgentService."""

    address: str = ""
    is_plaintext: bool = False


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """The settings of one workspace; the defaults are those of a new one."""

    provider: ProviderKind = ProviderKind.OFFLINE
    display_name: str = "Assistant"
    instructions: str = ""
    allowed_tools: frozenset[Tool] = frozenset(Tool)
    reply_delay: timedelta = timedelta(seconds=2)
    longest_reply_delay: timedelta = timedelta(seconds=8)
    answer_within: timedelta = timedelta(seconds=20)
    min_coverage_percent: int = 60
    context_size: int = 30
    openai: OpenAiSettings = field(default_factory=OpenAiSettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    has_api_key: bool = False
    version: int = 0

    @property
    def answers_here(self) -> bool:
        """Whether turns are this service's business."""
        return self.provider is not ProviderKind.NONE


@dataclass(frozen=True, slots=True)
class ProviderHosts:
    """Where the operator lets providers be: a workspace must not choose our network's inside."""

    allowed: frozenset[str]

    @classmethod
    def of(cls, text: str) -> ProviderHosts:
        """Comma separated host names or addresses, or * for any."""
        return cls(frozenset(part.strip().lower() for part in text.split(",") if part.strip()))

    def check(self, field_name: str, host: str) -> None:
        """Raises: ProviderHostNotAllowed."""
        if ANY_HOST not in self.allowed and host.lower() not in self.allowed:
            raise ProviderHostNotAllowed(field_name, host)


def changed(
    settings: AssistantSettings,
    news: dict[str, Any],
    *,
    expected_version: int,
    hosts: ProviderHosts,
) -> AssistantSettings:
    """The settings with what is given, by field name; themselves when nothing is new.

    Raises: VersionConflict, FieldInvalid, ProviderHostNotAllowed, ProviderIncomplete.
    """
    if expected_version and expected_version != settings.version:
        raise VersionConflict(expected_version, settings.version)
    after = replace(settings, **news)
    if after == settings:
        return settings
    _check_words(after)
    _check_times(after)
    _in_range("min_coverage_percent", after.min_coverage_percent, range(1, FULL_COVERAGE + 1))
    _in_range("context_size", after.context_size, range(1, MAX_CONTEXT + 1))
    _in_range("openai.max_output_tokens", after.openai.max_output_tokens, OUTPUT_TOKENS)
    _in_range("openai.max_turn_tokens", after.openai.max_turn_tokens, TURN_TOKENS)
    check_provider(after, hosts)
    return replace(after, version=settings.version + 1)


def check_provider(settings: AssistantSettings, hosts: ProviderHosts) -> None:
    """Raises: FieldInvalid, ProviderHostNotAllowed, ProviderIncomplete."""
    if settings.openai.base_url:
        hosts.check("openai.base_url", _host_of_url(settings.openai.base_url))
    if settings.agent.address:
        hosts.check("agent.address", _host_of_address(settings.agent.address))
    needed = {
        ProviderKind.OPENAI: {
            "openai.base_url": settings.openai.base_url,
            "openai.model": settings.openai.model,
        },
        ProviderKind.AGENT: {"agent.address": settings.agent.address},
    }.get(settings.provider, {})
    for name, value in needed.items():
        if not value:
            raise ProviderIncomplete(settings.provider.value, name)


def _check_words(settings: AssistantSettings) -> None:
    name = settings.display_name
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise FieldInvalid("display_name", f"must have 1 to {MAX_NAME_CHARACTERS} characters")
    if len(settings.instructions) > MAX_INSTRUCTIONS_CHARACTERS:
        raise FieldInvalid(
            "instructions", f"must have at most {MAX_INSTRUCTIONS_CHARACTERS} characters"
        )
    model = settings.openai.model
    if len(model) > MAX_MODEL_CHARACTERS or not model.isprintable():
        raise FieldInvalid(
            "openai.model", f"must have at most {MAX_MODEL_CHARACTERS} printable characters"
        )


def _check_times(settings: AssistantSettings) -> None:
    if not timedelta(0) <= settings.reply_delay <= LONGEST_DELAY:
        raise FieldInvalid("reply_delay", f"must be 0 to {LONGEST_DELAY.seconds} seconds")
    if not settings.reply_delay <= settings.longest_reply_delay <= LONGEST_LONGEST_DELAY:
        raise FieldInvalid(
            "longest_reply_delay",
            f"must be reply_delay to {LONGEST_LONGEST_DELAY.seconds} seconds",
        )
    if not SHORTEST_ANSWER <= settings.answer_within <= LONGEST_ANSWER:
        raise FieldInvalid(
            "answer_within",
            f"must be {SHORTEST_ANSWER.seconds} to {LONGEST_ANSWER.seconds} seconds",
        )


def _in_range(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise FieldInvalid(name, f"must be {allowed.start} to {allowed.stop - 1}")


def _host_of_url(url: str) -> str:
    rule = "must be http(s)://host[:port]/path without user, query or fragment"
    try:
        parts = urlsplit(url)
        has_more = parts.username is not None or parts.query or parts.fragment
        is_good = parts.scheme in {"http", "https"} and parts.hostname and not has_more
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        is_good = False
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise FieldInvalid("openai.base_url", rule)
    return str(urlsplit(url).hostname)


def _host_of_address(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in address or not address.isascii():
        raise FieldInvalid("agent.address", "must be host:port")
    return host.strip("[]")
