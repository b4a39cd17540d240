"""A program of a team, called by gRPC: whoever serves AgentService answers."""

from __future__ import annotations

from typing import TypeAlias

import grpc

from inbox.assistant import v1
from inbox.messaging import v1 as messaging_v1
from services.assistant.mapping import TOOLS, passage_to
from services.assistant.model.turns import Handover, Speaker, Usage
from services.assistant.providers.port import (
    Answer,
    Line,
    ProviderFailed,
    ProviderSlow,
    Question,
    Toolbox,
    ToolRefused,
)

MAX_EVENTS = 10_000
MAX_ANSWER_CHARACTERS = 20_000
MAX_RECEIVED_BYTES = 1024 * 1024
AUTHORS = {
    Speaker.CUSTOMER: messaging_v1.AUTHOR_KIND_CUSTOMER,
    Speaker.PERSON: messaging_v1.AUTHOR_KIND_MEMBER,
    Speaker.AI: messaging_v1.AUTHOR_KIND_AI,
    Speaker.NOBODY: messaging_v1.AUTHOR_KIND_SYSTEM,
}
Call: TypeAlias = "grpc.aio.StreamStreamCall[v1.AnswerRequest, v1.AnswerResponse]"
OPTIONS = (("grpc.max_receive_message_length", MAX_RECEIVED_BYTES), ("grpc.enable_retries", 1))


class AgentProvider:
    """Calls a team's agent, a connection for each turn: agents come and go as teams please."""

    async def answer(self, question: Question, toolbox: Toolbox) -> Answer:
        """Follow the agent's stream to its end. Raises: ProviderFailed."""
        within = question.settings.answer_within.total_seconds()
        key = question.api_key
        metadata = (("authorization", f"Bearer {key}"),) if key else ()
        async with _channel(question) as channel:
            call = v1.AgentServiceStub(channel).Answer(timeout=within, metadata=metadata)
            try:
                await call.write(v1.AnswerRequest(start=_start(question, toolbox)))
                return await _follow(call, toolbox)
            except grpc.aio.AioRpcError as error:
                kind = (
                    ProviderSlow
                    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                    else ProviderFailed
                )
                raise kind(f"the agent ended with {error.code().name}") from None
            except (grpc.aio.UsageError, grpc.aio.InternalError, EOFError):
                raise ProviderFailed("the agent ended the call in between") from None
            finally:
                call.cancel()


def _channel(question: Question) -> grpc.aio.Channel:
    agent = question.settings.agent
    if agent.is_plaintext:
        return grpc.aio.insecure_channel(agent.address, OPTIONS)
    return grpc.aio.secure_channel(agent.address, grpc.ssl_channel_credentials(), OPTIONS)


async def _follow(call: Call, toolbox: Toolbox) -> Answer:
    text = ""
    for _ in range(MAX_EVENTS):
        response = await call.read()
        if not isinstance(response, v1.AnswerResponse):
            raise ProviderFailed("the agent's stream ended without done")
        match response.WhichOneof("event"):
            case "text":
                text += response.text.text
                if len(text) > MAX_ANSWER_CHARACTERS:
                    break
            case "tool_request":
                result = await _use(toolbox, response.tool_request)
                if isinstance(result, Handover):
                    return Answer(handover=result)
                await call.write(v1.AnswerRequest(tool_result=result))
            case "done":
                await call.done_writing()
                return Answer(text, usage=_usage(response.done))
    raise ProviderFailed("the agent's answer has no end")


async def _use(toolbox: Toolbox, request: v1.ToolRequest) -> v1.ToolResult | Handover:
    result = v1.ToolResult(ref=request.ref)
    kind = request.WhichOneof("tool")
    try:
        match kind:
            case "search_knowledge":
                found = await toolbox.search_knowledge(request.search_knowledge.query)
                result.found.passages.extend(map(passage_to, found))
            case "save_contact_field":
                field = request.save_contact_field
                await toolbox.save_contact_field(field.key, field.value)
                result.done = True
            case "hand_over":
                return toolbox.hand_over(request.hand_over.summary)
            case _:
                raise toolbox.refuse(kind or "")
    except ToolRefused as refused:
        result.refused = str(refused)
    return result


def _start(question: Question, toolbox: Toolbox) -> v1.AnswerStart:
    return v1.AnswerStart(
        conversation_id=question.conversation_id,
        turn_number=question.turn_number,
        messages=[_message(question, line) for line in question.history],
        instructions=question.settings.instructions,
        allowed_tools=[TOOLS[tool] for tool in toolbox.allowed],
    )


def _message(question: Question, line: Line) -> messaging_v1.Message:
    is_inbound = line.speaker is Speaker.CUSTOMER
    return messaging_v1.Message(
        conversation_id=question.conversation_id,
        seq=line.seq,
        direction=messaging_v1.MESSAGE_DIRECTION_INBOUND
        if is_inbound
        else messaging_v1.MESSAGE_DIRECTION_OUTBOUND,
        author=messaging_v1.Author(kind=AUTHORS[line.speaker]),
        text=line.text,
    )


def _usage(done: v1.AnswerDone) -> Usage:
    return Usage(
        model=done.model[:120],
        prompt_version=done.prompt_version[:120],
        input_tokens=max(done.input_tokens, 0),
        output_tokens=max(done.output_tokens, 0),
    )
