"""The port of all providers: a question goes in, an answer comes out, tools in between.

What customers wrote is data. A tool is used only when the provider itself asks for it by the means
of its protocol, and only what the workspace allows is done: the toolbox judges, not the provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.assistant.model.articles import Passage
from services.assistant.model.settings import AssistantSettings, Tool
from services.assistant.model.turns import Handover, Speaker, Usage


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the history."""

    seq: int
    speaker: Speaker
    text: str
    ordinal: int
    """Inbound messages up to and including it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered."""

    conversation_id: str
    turn_number: int
    history: tuple[Line, ...]
    """The newest messages, oldest first."""
    unanswered: tuple[Line, ...]
    """Those of them that the customer waits for an answer to."""
    settings: AssistantSettings
    api_key: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """What the customer wrote, as one text."""
        return "\n".join(line.text for line in self.unanswered)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider came to. Without text and without a handover it does not know."""

    text: str = ""
    handover: Handover | None = None
    usage: Usage = field(default_factory=Usage)


class ToolRefused(Exception):
    """The toolbox did nothing; the text tells the provider why."""


class Toolbox(Protocol):
    """What a provider may do; each call is written down for the audit."""

    @property
    def allowed(self) -> Sequence[Tool]:
        """What may be asked for."""
        ...

    async def search_knowledge(self, query: str) -> Sequence[Passage]:
        """The passages that have the most of the query's words. Raises: ToolRefused."""
        ...

    async def save_contact_field(self, key: str, value: str) -> None:
        """Keep a detail the customer gave. Raises: ToolRefused."""
        ...

    def hand_over(self, summary: str) -> Handover:
        """Call a person; the answer has to carry it. Raises: ToolRefused."""
        ...

    def refuse(self, name: str) -> ToolRefused:
        """Note a request that makes no sense, by the name it was made under."""
        ...


class Provider(Protocol):
    """One source of answers."""

    async def answer(self, question: Question, toolbox: Toolbox) -> Answer:
        """Answer; is cancelled when the answer is not wanted any more. Raises: ProviderFailed."""
        ...


class ProviderChoice(Protocol):
    """Finds the provider of a workspace."""

    async def of(self, settings: AssistantSettings) -> Provider:
        """The provider that the settings choose. Raises: ProviderFailed."""
        ...


class ProviderFailed(Exception):
    """No answer came, for a reason that is neither the customer's nor ours. No customer words."""


class ProviderSlow(ProviderFailed):
    """No answer came in time."""
