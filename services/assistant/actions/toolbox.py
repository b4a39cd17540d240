"""What a provider may do, judged here: the workspace's list decides, and every request is noted."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.errors import TemporarilyUnavailable
from chassis.ids import derived_id
from chassis.logs import log
from services.assistant.actions.articles import search_articles
from services.assistant.actions.means import Means
from services.assistant.actions.ports import DetailRefused, Place
from services.assistant.model.articles import MAX_QUERY_CHARACTERS, Passage
from services.assistant.model.settings import ProviderKind, Tool
from services.assistant.model.turns import (
    MAX_FIELDS,
    MAX_KEY_CHARACTERS,
    MAX_SUMMARY_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    CollectedField,
    Handover,
    HandoverReason,
    ToolCall,
)
from services.assistant.providers.port import Question, ToolRefused
from services.assistant.store import turns as store

PASSAGES_SHOWN = 5
MAX_CALLS = 20
"""Within one turn."""


class TurnToolbox:
    """The tools of one turn; implements `providers.port.Toolbox`."""

    def __init__(self, means: Means, place: Place, question: Question) -> None:
        self._means = means
        self._place = place
        self._workspace_id = place.workspace_id
        self._question = question
        self._articles: dict[str, None] = {}
        self.calls: list[ToolCall] = []

    @property
    def allowed(self) -> Sequence[Tool]:
        """What may be asked for. The offline provider is ours: it only ever searches."""
        settings = self._question.settings
        if settings.provider is ProviderKind.OFFLINE:
            return (Tool.SEARCH_KNOWLEDGE,)
        return tuple(tool for tool in Tool if tool in settings.allowed_tools)

    @property
    def article_ids(self) -> tuple[str, ...]:
        """The articles found, each once, in the order they were."""
        return tuple(self._articles)

    async def search_knowledge(self, query: str) -> Sequence[Passage]:
        """The passages that have the most of the query's words. Raises: ToolRefused."""
        self._admit(Tool.SEARCH_KNOWLEDGE)
        found = await search_articles(
            self._means, self._workspace_id, query[:MAX_QUERY_CHARACTERS], size=PASSAGES_SHOWN
        )
        self._articles.update(dict.fromkeys(passage.article_id for passage in found))
        return found

    async def save_contact_field(self, key: str, value: str) -> None:
        """Keep a detail the customer gave, for a handover and with the contact.

        Raises: ToolRefused.
        """
        self._admit(Tool.SAVE_CONTACT_FIELD)
        key, value = key.strip(), value.strip().replace("\x00", "")
        if not key.isidentifier() or len(key) > MAX_KEY_CHARACTERS:
            raise self._withdraw("key must be snake_case of at most 64 characters")
        if not value or len(value) > MAX_VALUE_CHARACTERS:
            raise self._withdraw("value must have 1 to 1000 characters")
        field = CollectedField(key, value, self._source_of(value))
        await self._tell_contacts(field)
        async with self._means.database.begin(self._workspace_id) as transaction:
            is_kept = await store.save_field(
                transaction,
                self._question.conversation_id,
                field,
                at=self._means.clock.now(),
                at_most=MAX_FIELDS,
            )
        if not is_kept:
            raise self._withdraw(f"{MAX_FIELDS} details are kept already")

    async def _tell_contacts(self, field: CollectedField) -> None:
        """Raises: ToolRefused, where the contact does not take it.

        While nobody answers it is kept for the handover alone: the customer must not wait for it.
        """
        question, call = self._question, len(self.calls)
        request_id = derived_id(
            "contact field",
            question.conversation_id,
            str(question.turn_number),
            str(call),
            field.key,
            field.value,
        )
        try:
            await self._means.contacts.save_field(self._place, field, request_id=request_id)
        except DetailRefused as refused:
            raise self._withdraw(str(refused)) from None
        except TemporarilyUnavailable:
            log.warning("contact_field_untold", conversation_id=question.conversation_id)

    def hand_over(self, summary: str) -> Handover:
        """Call a person. Raises: ToolRefused."""
        self._admit(Tool.HAND_OVER)
        text = summary.strip().replace("\x00", "")
        return Handover(HandoverReason.UNSURE, text[:MAX_SUMMARY_CHARACTERS])

    def refuse(self, name: str) -> ToolRefused:
        """Note a request that makes no sense."""
        tool = next((tool for tool in Tool if tool.value == name), None)
        self._note(ToolCall(tool, is_refused=True))
        return ToolRefused("there is no such tool, or its arguments are not what it takes")

    def _admit(self, tool: Tool) -> None:
        if tool not in self.allowed:
            self._note(ToolCall(tool, is_refused=True))
            raise ToolRefused(f"{tool.value} is not allowed here")
        if len(self.calls) >= MAX_CALLS:
            raise ToolRefused("there were too many calls in this turn")
        self._note(ToolCall(tool))

    def _withdraw(self, why: str) -> ToolRefused:
        self.calls[-1] = ToolCall(self.calls[-1].tool, is_refused=True)
        return ToolRefused(why)

    def _note(self, call: ToolCall) -> None:
        if len(self.calls) < MAX_CALLS:
            self.calls.append(call)

    def _source_of(self, value: str) -> int:
        """The newest message that has the value word for word; 0 when none has."""
        found = [line.seq for line in self._question.history if value in line.text]
        return found[-1] if found else 0
