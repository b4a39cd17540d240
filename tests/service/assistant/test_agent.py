"""A team's own AI behind AgentService: it answers, asks for tools, is slow, broken or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest

from inbox.assistant import v1
from inbox.messaging import v1 as messaging_v1
from services.assistant.model.settings import AgentSettings, ProviderKind, Tool
from services.assistant.model.turns import HandoverReason, Mode, ToolCall
from suite.infra.ports import free_port
from tests.service.assistant.desk import BURST, Desk
from tests.service.assistant.messaging_double import Thread

Stream = Any
Behaviour = Callable[["Team", Stream], Awaitable[None]]


@dataclass
class Team(v1.AgentServiceServicer):
    """What a team writes: here a behaviour that a test chooses."""

    behaviour: Behaviour
    starts: list[v1.AnswerStart] = field(default_factory=list)
    results: list[v1.ToolResult] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    cancelled_count: int = 0

    async def Answer(self, requests: Any, stream: Stream) -> None:  # type: ignore[override]
        self.keys.append(dict(stream.invocation_metadata()).get("authorization", ""))
        self.starts.append((await stream.read()).start)
        try:
            await self.behaviour(self, stream)
        except asyncio.CancelledError:
            self.cancelled_count += 1
            raise

    async def uses(self, stream: Stream, ref: str, **tool: Any) -> v1.ToolResult:
        """Ask for a tool and wait for what becomes of it."""
        await stream.write(v1.AnswerResponse(tool_request=v1.ToolRequest(ref=ref, **tool)))
        result: v1.ToolResult = (await stream.read()).tool_result
        self.results.append(result)
        return result


async def says(stream: Stream, *parts: str) -> None:
    for part in parts:
        await stream.write(v1.AnswerResponse(text=v1.AnswerText(text=part)))
    done = v1.AnswerDone(model="ours-2", prompt_version="7", input_tokens=5, output_tokens=3)
    await stream.write(v1.AnswerResponse(done=done))


@asynccontextmanager
async def a_team(desk: Desk, behaviour: Behaviour, **settings: Any) -> AsyncIterator[Team]:
    """The team's server, chosen by the workspace."""
    team = Team(behaviour)
    server = grpc.aio.server()
    v1.add_AgentServiceServicer_to_server(team, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await chosen(desk, port, **settings)
    try:
        yield team
    finally:
        await server.stop(0)


async def chosen(desk: Desk, port: int, **settings: Any) -> None:
    agent = AgentSettings(f"127.0.0.1:{port}", is_plaintext=True)
    await desk.chooses(provider=ProviderKind.AGENT, agent=agent, api_key="team-key", **settings)


async def asks(desk: Desk, text: str = "hi there you") -> Thread:
    customer = desk.customer()
    customer.writes(text)
    await desk.answer_all(customer)
    return customer


async def test_a_teams_program_answers_in_parts_and_says_how(desk: Desk) -> None:
    async def behaviour(team: Team, stream: Stream) -> None:
        await stream.write(v1.AnswerResponse(typing=v1.AgentTyping()))
        await says(stream, "We open ", "at nine.")

    async with a_team(desk, behaviour, instructions="Be brief.") as team:
        ana = await asks(desk, "When do you open?")

    assert [one.text for one in ana.sent] == ["We open at nine."]
    [start] = team.starts
    assert (start.conversation_id, start.turn_number) == (ana.conversation_id, 1)
    assert [(one.text, one.author.kind) for one in start.messages] == [
        ("When do you open?", messaging_v1.AUTHOR_KIND_CUSTOMER)
    ]
    assert start.instructions == "Be brief."
    assert team.keys == ["Bearer team-key"]
    [turn] = await desk.turns()
    assert (turn.usage.model, turn.usage.prompt_version) == ("ours-2", "7")
    assert (turn.usage.input_tokens, turn.usage.output_tokens) == (5, 3)


async def test_a_teams_program_uses_tools(desk: Desk) -> None:
    article = await desk.writes_article("Hours", "We open at nine.")

    async def behaviour(team: Team, stream: Stream) -> None:
        search = v1.SearchKnowledge(query="when open")
        found = await team.uses(stream, "a", search_knowledge=search)
        field = v1.SaveContactField(key="order_number", value="A-17")
        await team.uses(stream, "b", save_contact_field=field)
        await says(stream, found.found.passages[0].text)

    async with a_team(desk, behaviour) as team:
        ana = await asks(desk, "When do you open?")

    assert [one.text for one in ana.sent] == ["We open at nine."]
    assert [(one.ref, one.WhichOneof("outcome")) for one in team.results] == [
        ("a", "found"),
        ("b", "done"),
    ]
    [turn] = await desk.turns()
    assert turn.article_ids == (article.id,)
    assert turn.tool_calls == (ToolCall(Tool.SEARCH_KNOWLEDGE), ToolCall(Tool.SAVE_CONTACT_FIELD))


async def test_a_teams_program_calls_a_person(desk: Desk) -> None:
    async def behaviour(team: Team, stream: Stream) -> None:
        call = v1.CallPerson(summary="They are angry.")
        await team.uses(stream, "a", hand_over=call)

    async with a_team(desk, behaviour):
        ana = await asks(desk)

    assert [one.handover.summary for one in ana.handovers] == ["They are angry."]


async def test_a_tool_that_is_not_allowed_is_refused_and_said_so(desk: Desk) -> None:
    async def behaviour(team: Team, stream: Stream) -> None:
        await team.uses(stream, "a", hand_over=v1.CallPerson(summary="x"))
        await team.uses(stream, "b")
        await says(stream, "I stay.")

    allowed = frozenset({Tool.SEARCH_KNOWLEDGE})
    async with a_team(desk, behaviour, allowed_tools=allowed) as team:
        ana = await asks(desk)

    assert (ana.sent[0].text, ana.handovers) == ("I stay.", [])
    assert list(team.starts[0].allowed_tools) == [v1.TOOL_SEARCH_KNOWLEDGE]
    assert [one.WhichOneof("outcome") for one in team.results] == ["refused", "refused"]
    [turn] = await desk.turns()
    assert turn.tool_calls == (
        ToolCall(Tool.HAND_OVER, is_refused=True),
        ToolCall(None, is_refused=True),
    )


async def ends_at_once(team: Team, stream: Stream) -> None:
    """The stream is over without a word."""


async def aborts(team: Team, stream: Stream) -> None:
    await stream.abort(grpc.StatusCode.INTERNAL, "we crashed")


async def says_nothing(team: Team, stream: Stream) -> None:
    await says(stream)


async def never_ends(team: Team, stream: Stream) -> None:
    while True:
        await stream.write(v1.AnswerResponse(text=v1.AnswerText(text="x" * 1000)))


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (ends_at_once, HandoverReason.PROVIDER_FAILED),
        (aborts, HandoverReason.PROVIDER_FAILED),
        (never_ends, HandoverReason.PROVIDER_FAILED),
        (says_nothing, HandoverReason.UNSURE),
    ],
)
async def test_a_program_that_does_not_answer_calls_a_person(
    desk: Desk, behaviour: Behaviour, reason: HandoverReason
) -> None:
    async with a_team(desk, behaviour):
        ana = await asks(desk)

    assert [one.handover.reason for one in ana.handovers] == [reason]


async def test_a_program_that_is_away_calls_a_person(desk: Desk) -> None:
    await chosen(desk, free_port())

    ana = await asks(desk)

    assert [one.handover.reason for one in ana.handovers] == [HandoverReason.PROVIDER_FAILED]


async def hangs(team: Team, stream: Stream) -> None:
    await asyncio.Event().wait()


async def test_a_program_that_is_slow_is_left(desk: Desk) -> None:
    async with a_team(desk, hangs, answer_within=timedelta(seconds=1)) as team:
        ana = await asks(desk)
        await _until(lambda: team.cancelled_count == 1)

    assert [one.handover.reason for one in ana.handovers] == [HandoverReason.PROVIDER_SLOW]


async def test_a_takeover_cancels_the_programs_stream(desk: Desk) -> None:
    async with a_team(desk, hangs) as team:
        ana = desk.customer()
        ana.writes("hi there you")
        await desk.hear(ana)
        desk.clock.advance(BURST)
        async with asyncio.TaskGroup() as group:
            working = group.create_task(desk.work())
            await _until(lambda: len(team.starts) == 1)
            ana.is_switched(Mode.MANUAL)
            await desk.hear(ana)
            await desk.tick()
            await working
        await _until(lambda: team.cancelled_count == 1)

    assert ana.sent == []


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)
