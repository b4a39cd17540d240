"""One answer per burst, once, and never after a person took over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import WorkspaceId, new_id
from services.assistant.actions.ports import History, Place
from services.assistant.answering import Answering
from services.assistant.model.settings import ProviderKind
from services.assistant.model.turns import Mode, Outcome, Speaker
from services.assistant.providers.port import Answer, Question, Toolbox
from tests.service.assistant.desk import BURST, Desk, Scripted, never, saying


class Killed(BaseException):
    """The worker's process ends here."""


def dying(desk: Desk, where: str) -> Answering:
    """A worker that is killed at a step."""

    async def hook(step: str) -> None:
        if step == where:
            raise Killed

    return desk.a_worker(hook=hook)


async def die(worker: Answering) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await worker.run_once()
    assert caught.group_contains(Killed)


async def test_a_customers_question_is_answered_from_an_article_that_is_named(desk: Desk) -> None:
    await desk.writes_article("Opening hours", "We are open Monday to Friday from 9 to 19.")
    ana = desk.customer()
    ana.writes("Hi! What are your opening hours?")

    await desk.answer_all(ana)

    [sent] = ana.sent
    assert sent.text == "We are open Monday to Friday from 9 to 19.\n\nSource: Opening hours"
    [turn] = await desk.turns()
    assert (turn.outcome, turn.provider, turn.message_id) == (
        Outcome.REPLIED,
        ProviderKind.OFFLINE,
        sent.id,
    )


async def test_nothing_is_said_before_the_customer_was_quiet_for_a_moment(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)

    desk.clock.advance(BURST - timedelta(milliseconds=1))
    assert await desk.work() == 0
    desk.clock.advance(timedelta(milliseconds=1))
    assert await desk.work() == 1

    assert [one.text for one in ana.sent] == ["hello"]


async def test_who_never_stops_writing_is_answered_eight_seconds_after_the_first_message(
    desk: Desk,
) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    for second in range(8):
        ana.writes(f"message {second}")
        await desk.hear(ana)
        assert await desk.work() == 0
        desk.clock.advance(timedelta(seconds=1))

    assert await desk.work() == 1

    assert len(ana.sent) == 1


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pauses=st.lists(st.integers(min_value=0, max_value=1900), min_size=0, max_size=6),
    hears_at_once=st.booleans(),
)
async def test_n_messages_in_a_burst_get_one_answer_that_saw_all_of_them(
    desk: Desk, pauses: list[int], hears_at_once: bool
) -> None:
    provider = desk.providers = saying("one answer")
    ana = desk.customer()
    ana.writes("message 1")
    for number, pause in enumerate(pauses, 2):
        if hears_at_once:
            await desk.hear(ana)
            await desk.work()
        desk.clock.advance(timedelta(milliseconds=pause))
        if sum(pauses[: number - 1]) > 8000:
            break
        ana.writes(f"message {number}")

    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["one answer"]
    written = [line.text for line in ana.lines if line.speaker is Speaker.CUSTOMER]
    assert [line.text for line in provider.asked[-1].unanswered] == written


async def test_a_newer_message_ends_the_answer_being_written_and_the_next_one_sees_both(
    desk: Desk,
) -> None:
    slow = desk.providers = never()
    ana = desk.customer()
    ana.writes("do you have")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    async with asyncio.TaskGroup() as group:
        working = group.create_task(desk.work())
        await slow.began.wait()
        ana.writes("blue ones?")
        await desk.hear(ana)
        await desk.tick()
        await working
    desk.providers = quick = saying("yes")
    await desk.answer_all(ana)

    assert slow.cancelled_count == 1
    assert [one.text for one in ana.sent] == ["yes"]
    assert quick.asked[0].text == "do you have\nblue ones?"
    assert [turn.outcome for turn in await desk.turns()] == [Outcome.SUPERSEDED, Outcome.REPLIED]
    assert {turn.number for turn in await desk.turns()} == {1}


async def test_a_message_that_the_answer_has_read_already_does_not_end_it(desk: Desk) -> None:
    """Its event comes later than the history it stands in."""
    ana = desk.customer()

    async def say(question: Question, toolbox: Toolbox) -> Answer:
        await desk.hear(ana)
        await asyncio.sleep(0)
        return Answer(question.text)

    desk.providers = Scripted(say)
    ana.writes("one")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    ana.writes("two")

    await desk.work()

    assert [one.text for one in ana.sent] == ["one\ntwo"]
    assert await desk.work() == 0


async def test_a_person_who_takes_over_while_the_ai_writes_ends_it_without_a_word(
    desk: Desk,
) -> None:
    slow = desk.providers = never()
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    async with asyncio.TaskGroup() as group:
        working = group.create_task(desk.work())
        await slow.began.wait()
        ana.is_switched(Mode.MANUAL)
        await desk.hear(ana)
        await desk.tick()
        await working
    await desk.answer_all(ana)

    assert ana.sent == []
    assert [turn.outcome for turn in await desk.turns()] == [Outcome.TAKEN_OVER]
    assert desk.signs.told[-1] == (ana.conversation_id, False)


@pytest.mark.parametrize("step", ["read", "written", "decided"])
async def test_a_takeover_at_any_step_wins_also_while_its_event_is_on_the_way(
    desk: Desk, step: str
) -> None:
    desk.providers = saying("too late")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    async def hook(now: str) -> None:
        if now == step:
            ana.is_switched(Mode.MANUAL)

    await desk.a_worker(hook=hook).run_once()
    await desk.answer_all(ana)

    assert ana.sent == []
    assert {turn.outcome for turn in await desk.turns()} == {Outcome.TAKEN_OVER}


async def test_what_came_while_people_answered_gets_one_answer_once_the_ai_resumes(
    desk: Desk,
) -> None:
    provider = desk.providers = saying("hello")
    ana = desk.customer(mode=Mode.MANUAL)
    ana.writes("one")
    ana.is_answered("a person's answer to one")
    ana.writes("two")
    ana.writes("three")
    await desk.answer_all(ana)
    assert ana.sent == []

    ana.is_switched(Mode.AI)
    await desk.answer_all(ana)

    assert len(ana.sent) == 1
    assert provider.asked[0].text == "two\nthree"


async def test_what_a_person_answered_before_handing_back_is_not_answered_again(
    desk: Desk,
) -> None:
    """The history has it already, the events are still on the way."""
    ana = desk.customer()
    desk.providers = saying("hello")
    ana.writes("is it open?")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    ana.is_switched(Mode.MANUAL)
    ana.is_answered("it is")
    ana.is_switched(Mode.AI)

    assert await desk.work() == 1
    await desk.answer_all(ana)

    assert ana.sent == []
    assert await desk.turns() == []


async def test_a_message_that_comes_while_there_is_nothing_to_answer_is_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = desk.customer()
    desk.providers = provider = saying("hello")
    ana.writes("is it open?")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    ana.is_answered("it is")
    read = desk.messaging.read

    async def then_the_customer_writes(place: Place, size: int) -> History:
        history = await read(place, size)
        ana.writes("and tomorrow?")
        await desk.hear(ana)
        monkeypatch.undo()
        return history

    monkeypatch.setattr(desk.messaging, "read", then_the_customer_writes)
    await desk.work()
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["hello"]
    assert provider.asked[0].text == "and tomorrow?"


async def test_nothing_is_owed_of_what_was_before_the_ai_came(desk: Desk) -> None:
    ana = desk.messaging.thread()
    ana.writes("years ago")
    ana.news = [replace(ana.news[-1], is_snapshot=True)]
    await desk.hear(ana)
    desk.clock.advance(timedelta(minutes=1))

    assert await desk.work() == 0


async def test_a_workspace_whose_own_program_answers_is_left_alone(desk: Desk) -> None:
    await desk.chooses(provider=ProviderKind.NONE)
    ana = desk.customer()
    ana.writes("hola")
    await desk.answer_all(ana)
    ana.sends(new_id(), "from a program", is_queued=False)
    await desk.answer_all(ana)

    desk.providers = saying("mine")
    await desk.chooses(provider=ProviderKind.OFFLINE)
    ana.writes("and now?")
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["from a program", "mine"]
    assert desk.providers.asked[0].text == "and now?"


async def test_a_worker_answers_in_every_workspace_and_mixes_nothing_up(desk: Desk) -> None:
    other = Desk(desk.app.database, desk.worker.database, desk.clock, WorkspaceId(new_id()))
    other.messaging = desk.messaging
    await desk.writes_article("Hours", "Opening hours: from nine.")
    await other.writes_article("Hours", "Opening hours: from ten.")
    ana, bob = desk.customer(), other.customer()
    ana.writes("opening hours?")
    bob.writes("opening hours?")
    await desk.hear(ana)
    await other.hear(bob)
    desk.clock.advance(BURST)

    assert await desk.work() == 2

    assert "nine" in ana.sent[0].text
    assert "ten" in bob.sent[0].text
