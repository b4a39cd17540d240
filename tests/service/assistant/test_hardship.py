"""Crashes, stalls, failing providers, customers who want a person: said once, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chassis.ids import new_id
from services.assistant.answering import Answering
from services.assistant.model.turns import HandoverReason, Mode, Outcome, Turn
from services.assistant.providers.port import Answer, ProviderFailed, Question, Toolbox
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


@pytest.mark.parametrize("step", ["leased", "read", "written", "decided", "carried_out"])
async def test_a_worker_killed_at_any_step_leaves_one_message(desk: Desk, step: str) -> None:
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    # The second worker would say something else, as a language model does.
    desk.providers = saying("first words")

    await die(dying(desk, step))
    desk.providers = saying("other words")
    assert await desk.work() == 0, "the lease of the dead worker still holds"
    desk.clock.advance(timedelta(seconds=16))
    await desk.answer_all(ana)

    assert len(ana.sent) == 1
    assert ana.sent[0].text == (
        "first words" if step in {"decided", "carried_out"} else "other words"
    )
    assert [turn.outcome for turn in await desk.turns()] == [Outcome.REPLIED]


async def test_without_the_decision_and_the_number_a_crash_sends_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the same crash, with ids that do not follow from the burst."""
    monkeypatch.setattr(Turn, "client_message_id", property(lambda _: new_id()))
    desk.providers = saying("first words")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    await die(dying(desk, "carried_out"))
    desk.clock.advance(timedelta(seconds=16))

    await desk.answer_all(ana)

    assert len(ana.sent) == 2


async def test_a_stalled_worker_that_comes_back_says_nothing_more(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    async def hook(step: str) -> None:
        if step == "written":
            # Stalled for longer than its lease: another worker has answered meanwhile.
            desk.clock.advance(timedelta(seconds=16))
            await desk.work()
            desk.providers = saying("too late")

    await desk.a_worker(hook=hook).run_once()

    assert [one.text for one in ana.sent] == ["hello"]
    assert len(await desk.turns()) == 1


async def test_two_workers_never_answer_the_same_burst(desk: Desk) -> None:
    desk.providers = saying("hello")
    customers = [desk.customer() for _ in range(8)]
    for customer in customers:
        customer.writes()
    await desk.hear(*customers)
    desk.clock.advance(BURST)

    async with asyncio.TaskGroup() as group:
        done = [group.create_task(desk.work()) for _ in range(4)]

    assert sum(task.result() for task in done) == 8
    assert all(len(customer.sent) == 1 for customer in customers)


async def test_a_customer_who_asks_for_a_person_gets_one_and_is_told_so(desk: Desk) -> None:
    provider = desk.providers = saying("I can help you!")
    ana = desk.customer()
    ana.writes("Quiero hablar con una persona, por favor")

    await desk.answer_all(ana)

    [handed] = ana.handovers
    assert handed.handover.reason is HandoverReason.CUSTOMER_ASKED
    assert handed.handover.summary == (
        "They wrote last:\n“Quiero hablar con una persona, por favor”"
    )
    assert [one.text for one in ana.sent] == [
        "Te paso con una persona del equipo, que te responderá por aquí."
    ]
    assert provider.asked == [], "no provider can talk them out of it"
    [turn] = await desk.turns()
    assert (turn.outcome, turn.handover_reason) == (
        Outcome.HANDED_OVER,
        HandoverReason.CUSTOMER_ASKED,
    )


async def test_the_farewell_is_on_its_way_before_the_handover_would_withdraw_it(
    desk: Desk,
) -> None:
    desk.messaging.queued_looks = 3
    ana = desk.customer()
    ana.writes("human please")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    async with asyncio.TaskGroup() as group:
        working = group.create_task(desk.work())
        while not working.done():
            desk.clock.advance(timedelta(milliseconds=250))
            await asyncio.sleep(0.01)

    assert len(ana.sent) == 1
    assert len(ana.handovers) == 1


@pytest.mark.parametrize("step", ["decided", "told", "carried_out"])
async def test_a_worker_killed_in_a_handover_leaves_one_farewell_and_one_handover(
    desk: Desk, step: str
) -> None:
    ana = desk.customer()
    ana.writes("I want to talk to a person")
    await desk.hear(ana)
    desk.clock.advance(BURST)

    await die(dying(desk, step))
    desk.clock.advance(timedelta(seconds=16))
    await desk.answer_all(ana)

    assert (len(ana.sent), len(ana.handovers)) == (1, 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderFailed("down"), HandoverReason.PROVIDER_FAILED),
        (TimeoutError(), HandoverReason.PROVIDER_SLOW),
    ],
)
async def test_a_provider_that_fails_calls_a_person(
    desk: Desk, error: Exception, reason: HandoverReason
) -> None:
    async def say(question: Question, toolbox: Toolbox) -> Answer:
        raise error

    desk.providers = Scripted(say)
    ana = desk.customer()
    ana.writes("hola")

    await desk.answer_all(ana)

    assert [one.handover.reason for one in ana.handovers] == [reason]


async def test_a_provider_that_is_slow_is_left_and_a_person_called(desk: Desk) -> None:
    slow = desk.providers = never()
    await desk.chooses(answer_within=timedelta(seconds=1))
    ana = desk.customer()
    ana.writes("hola")

    await desk.answer_all(ana)

    assert slow.cancelled_count == 1
    assert [one.handover.reason for one in ana.handovers] == [HandoverReason.PROVIDER_SLOW]


async def test_a_provider_that_kills_its_worker_each_time_is_not_asked_for_ever(
    desk: Desk,
) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    for _ in range(5):
        await die(dying(desk, "written"))
        desk.clock.advance(timedelta(seconds=16))

    await desk.answer_all(ana)

    assert [one.handover.reason for one in ana.handovers] == [HandoverReason.PROVIDER_FAILED]


async def test_messaging_that_is_away_is_asked_again_later(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    desk.messaging.is_away = True

    await desk.work()
    desk.messaging.is_away = False
    assert await desk.work() == 0
    desk.clock.advance(timedelta(seconds=30))
    await desk.work()

    assert len(ana.sent) == 1


async def test_however_long_messaging_is_away_no_person_is_called_for_that(desk: Desk) -> None:
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")
    await desk.hear(ana)
    desk.clock.advance(BURST)
    desk.messaging.is_away = True

    for _ in range(12):
        await desk.work()
        desk.clock.advance(timedelta(seconds=30))
    desk.messaging.is_away = False
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["hello"]
    assert ana.handovers == []


async def test_however_often_people_take_over_no_failure_is_made_of_it(desk: Desk) -> None:
    """The last switch reaches messaging between the decision and the send, each time."""
    desk.providers = saying("hello")
    ana = desk.customer()
    ana.writes("hola")

    async def hook(step: str) -> None:
        if step == "decided":
            ana.is_switched(Mode.MANUAL)

    for _ in range(8):
        await desk.hear(ana)
        desk.clock.advance(BURST)
        await desk.a_worker(hook=hook).run_once()
        await desk.hear(ana)
        ana.is_switched(Mode.AI)
    await desk.answer_all(ana)

    assert [one.text for one in ana.sent] == ["hello"]
    assert ana.handovers == []


async def test_a_channel_that_takes_no_message_is_not_tried_for_ever(desk: Desk) -> None:
    desk.providers = saying("hello")
    desk.messaging.takes_messages = False
    ana = desk.customer()
    ana.writes("hola")

    await desk.answer_all(ana)

    assert [turn.outcome for turn in await desk.turns()] == [Outcome.REFUSED]
