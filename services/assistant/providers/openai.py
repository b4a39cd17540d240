"""Any endpoint that speaks the OpenAI chat API, through the `openai` SDK.

A tool call is what the protocol says is one; text that looks like one is text. Every round's tokens
are counted, and a turn that would use more than the workspace allows calls a person instead.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx2
import openai

from services.assistant.model.articles import MAX_QUERY_CHARACTERS
from services.assistant.model.settings import Tool
from services.assistant.model.turns import (
    MAX_KEY_CHARACTERS,
    MAX_SUMMARY_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    Handover,
    HandoverReason,
    Usage,
)
from services.assistant.providers.port import (
    Answer,
    ProviderFailed,
    ProviderSlow,
    Question,
    Toolbox,
    ToolRefused,
)
from services.assistant.providers.prompt import PROMPT_VERSION, chat_messages

MAX_ROUNDS = 6
"""Answers of the model within one turn; tools that lead nowhere must end."""
RETRIES = 2
"""Of a call whose answer has not begun: connection, 408, 409, 429, 5xx."""
CONNECT_SECONDS = 5.0
STALL_SECONDS = 20.0
"""Between two parts of an answer."""
MAX_ANSWER_CHARACTERS = 20_000
NO_KEY = "none"
"""The SDK wants one; endpoints of one's own often do not."""
OVER_BUDGET = "The question used up the tokens allowed for a turn."


def _tool(name: Tool, description: str, **properties: tuple[str, int]) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": name.value,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {
                    key: {"type": "string", "description": meaning, "maxLength": at_most}
                    for key, (meaning, at_most) in properties.items()
                },
                "required": list(properties),
                "additionalProperties": False,
            },
        },
    }


TOOLS = {
    Tool.SEARCH_KNOWLEDGE: _tool(
        Tool.SEARCH_KNOWLEDGE,
        "Find passages of the business's articles.",
        query=("A question or key words, in the language of the customer", MAX_QUERY_CHARACTERS),
    ),
    Tool.SAVE_CONTACT_FIELD: _tool(
        Tool.SAVE_CONTACT_FIELD,
        "Keep a detail the customer gave, for colleagues.",
        key=("What it is, in snake_case: order_number", MAX_KEY_CHARACTERS),
        value=("What the customer said it is", MAX_VALUE_CHARACTERS),
    ),
    Tool.HAND_OVER: _tool(
        Tool.HAND_OVER,
        "Give the conversation to a colleague; ends your turn.",
        summary=("What the colleague should know before reading on", MAX_SUMMARY_CHARACTERS),
    ),
}


@dataclass(slots=True)
class _Call:
    """A tool call as its parts come in."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class _Round:
    """One answer of the model."""

    text: str = ""
    calls: dict[int, _Call] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    def message(self) -> dict[str, Any]:
        """The answer as part of the next question."""
        return {
            "role": "assistant",
            "content": self.text or None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in self.calls.values()
            ],
        }


class OpenAiProvider:
    """Calls endpoints; one pool of connections for all workspaces, and no redirects."""

    def __init__(self) -> None:
        self._http = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=httpx2.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    async def close(self) -> None:
        """End its connections."""
        await self._http.aclose()

    async def answer(self, question: Question, toolbox: Toolbox) -> Answer:
        """Ask until the model has answered, or called a person. Raises: ProviderFailed."""
        settings = question.settings.openai
        client = openai.AsyncOpenAI(
            api_key=question.api_key or NO_KEY,
            base_url=settings.base_url,
            http_client=self._http,
            max_retries=RETRIES,
        )
        messages: list[dict[str, Any]] = [*chat_messages(question)]
        usage = Usage(model=settings.model, prompt_version=PROMPT_VERSION)
        for _ in range(MAX_ROUNDS):
            async with _faults():
                answer = await self._ask(client, question, messages, toolbox)
            usage = replace(
                usage,
                model=answer.usage.model or usage.model,
                input_tokens=usage.input_tokens + answer.usage.input_tokens,
                output_tokens=usage.output_tokens + answer.usage.output_tokens,
            )
            if not answer.calls:
                return Answer(answer.text, usage=usage)
            if usage.input_tokens + usage.output_tokens >= settings.max_turn_tokens:
                return Answer(handover=Handover(HandoverReason.OTHER, OVER_BUDGET), usage=usage)
            messages.append(answer.message())
            for call in answer.calls.values():
                result = await _use(toolbox, call)
                if isinstance(result, Handover):
                    return Answer(handover=result, usage=usage)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        raise ProviderFailed(f"no answer after {MAX_ROUNDS} rounds of tools")

    async def _ask(
        self,
        client: openai.AsyncOpenAI,
        question: Question,
        messages: list[dict[str, Any]],
        toolbox: Toolbox,
    ) -> _Round:
        settings = question.settings.openai
        tools = [TOOLS[tool] for tool in toolbox.allowed]
        stream = await client.chat.completions.create(
            model=settings.model,
            messages=cast("Any", messages),
            tools=cast("Any", tools) if tools else openai.omit,
            max_completion_tokens=settings.max_output_tokens,
            stream=True,
            stream_options={"include_usage": True},
        )
        answer = _Round()
        size = 0
        async with stream:
            async for chunk in stream:
                if chunk.usage is not None:
                    answer.usage = Usage(
                        model=chunk.model,
                        input_tokens=chunk.usage.prompt_tokens,
                        output_tokens=chunk.usage.completion_tokens,
                    )
                for choice in chunk.choices[:1]:
                    size += _take(answer, choice.delta)
                if size > MAX_ANSWER_CHARACTERS:
                    raise ProviderFailed("the answer has no end")
        return answer


def _take(answer: _Round, delta: Any) -> int:
    """Add a part of an answer; how many characters it has."""
    size = len(delta.content or "")
    answer.text += delta.content or ""
    for part in delta.tool_calls or ():
        call = answer.calls.setdefault(part.index, _Call())
        call.id = part.id or call.id
        if part.function is not None:
            call.name = part.function.name or call.name
            call.arguments += part.function.arguments or ""
            size += len(part.function.arguments or "")
    return size


async def _use(toolbox: Toolbox, call: _Call) -> str | Handover:
    """Do what the model asked for; what it is told, or the handover that ends the turn."""
    try:
        arguments = _arguments(toolbox, call)
        match call.name:
            case Tool.SEARCH_KNOWLEDGE.value:
                found = await toolbox.search_knowledge(arguments["query"])
                return json.dumps(
                    [{"title": one.title, "text": one.text} for one in found], ensure_ascii=False
                )
            case Tool.SAVE_CONTACT_FIELD.value:
                await toolbox.save_contact_field(arguments["key"], arguments["value"])
                return "saved"
            case Tool.HAND_OVER.value:
                return toolbox.hand_over(arguments["summary"])
        raise toolbox.refuse(call.name)
    except ToolRefused as refused:
        return f"refused: {refused}"


def _arguments(toolbox: Toolbox, call: _Call) -> Mapping[str, str]:
    """Raises: ToolRefused, for anything but the strings the tool takes."""
    tool = next((tool for tool in Tool if tool.value == call.name), None)
    if tool is None:
        raise toolbox.refuse(call.name)
    try:
        given = json.loads(call.arguments)
    except ValueError:
        raise toolbox.refuse(call.name) from None
    wanted = TOOLS[tool]["function"]["parameters"]["required"]
    if not isinstance(given, dict) or not all(isinstance(given.get(key), str) for key in wanted):
        raise toolbox.refuse(call.name)
    return {key: given[key] for key in wanted}


@asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    """Whatever the SDK raises, as the port's errors; its texts may hold customers' words."""
    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as late:
        raise ProviderSlow("the endpoint does not answer in time") from late
    except openai.APIStatusError as refused:
        raise ProviderFailed(f"the endpoint answered {refused.status_code}") from None
    except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError) as broken:
        raise ProviderFailed(
            f"the endpoint's answer makes no sense: {type(broken).__name__}"
        ) from None
