"""Sends whose outcome is in doubt: nothing is repeated blindly, everything ends (I9, I10, T11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.messaging.model import dispatch as rules
from services.messaging.model.delivery import DeliveryStatus, FailureReason
from services.messaging.model.dispatch import OpenAttempt, SendOutcome, Verdict
from tests.service.messaging.platform_desk import PlatformDesk

FIVE_MINUTES = timedelta(minutes=5)
IN_DOUBT = (
    {"answer_late": -1, "answer_late_seconds": 2.0},
    {"reset_after_accept": -1},
    {"reset_before_accept": -1},
    {"garbage_answer": -1},
    {"fail_next": -1, "fail_code": "internal_error"},
)
NAMES = ["late answer", "reset after", "reset before", "garbage", "error 500"]
OPEN = {DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    platform_desk.account.switches.reports_by_itself = False
    platform_desk.account.has_lookup = False
    return platform_desk


@pytest.mark.parametrize("switches", IN_DOUBT, ids=NAMES)
async def test_a_platform_without_keys_is_called_once_and_the_message_ends(
    desk: PlatformDesk, switches: dict[str, float]
) -> None:
    await desk.connect(is_idempotent=False)
    await desk.open()
    desk.account.switches.change(switches)
    message_id = await desk.send()

    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.UNKNOWN
    await desk.pass_time(FIVE_MINUTES)

    message = await desk.message(message_id)
    assert len(desk.calls(message_id)) == 1
    assert message.delivery_status is DeliveryStatus.PRESUMED_FAILED
    assert message.failure is not None
    assert message.failure.reason is FailureReason.NO_ANSWER
    assert message.failure.may_have_arrived
    assert message.failure.is_retryable


@pytest.mark.parametrize("switches", IN_DOUBT, ids=NAMES)
async def test_a_platform_with_keys_gets_it_exactly_once(
    desk: PlatformDesk, switches: dict[str, float]
) -> None:
    await desk.connect(is_idempotent=True)
    await desk.open()
    (name, _), *_ = switches.items()
    desk.account.switches.change({**switches, name: 2})
    message_id = await desk.send()

    await desk.pass_time(timedelta(seconds=90))

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert desk.arrivals(message_id) == 1
    assert len(desk.calls(message_id)) == 3


async def test_a_platform_with_keys_that_never_answers_is_given_up_as_unknown(
    desk: PlatformDesk,
) -> None:
    await desk.connect(is_idempotent=True)
    await desk.open()
    desk.account.switches.change({"reset_after_accept": -1})
    message_id = await desk.send()

    await desk.pass_time(FIVE_MINUTES)

    message = await desk.message(message_id)
    assert desk.arrivals(message_id) == 1
    assert message.delivery_status is DeliveryStatus.PRESUMED_FAILED
    assert message.failure is not None
    assert message.failure.may_have_arrived


async def test_resending_blindly_would_be_noticed(
    desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the first test: the rule is broken on purpose."""
    honest: Callable[..., Verdict] = rules.after_outcome

    def blind(attempt: OpenAttempt, outcome: SendOutcome, **given: object) -> Verdict:
        return honest(attempt, outcome, **{**given, "is_idempotent": True})

    monkeypatch.setattr(rules, "after_outcome", blind)
    await desk.connect(is_idempotent=False)
    await desk.open()
    desk.account.switches.change({"reset_after_accept": -1})
    message_id = await desk.send()

    await desk.pass_time(FIVE_MINUTES)

    assert desk.arrivals(message_id) > 1


async def test_a_message_in_doubt_does_not_hold_up_the_next_one(desk: PlatformDesk) -> None:
    await desk.connect()
    await desk.open()
    desk.account.switches.change({"reset_after_accept": 1})
    first, second = await desk.send("one"), await desk.send("two")

    await desk.dispatch()

    assert await desk.status(first) is DeliveryStatus.UNKNOWN
    assert await desk.status(second) is DeliveryStatus.SENT
    assert [message.text for message in desk.account.messages.values()] == ["one", "two"]


@pytest.mark.parametrize("echoes", [True, False], ids=["by our mark", "by its id only"])
async def test_a_receipt_lifts_a_doubt(desk: PlatformDesk, echoes: bool) -> None:
    desk.account.echoes_callback_data = echoes
    desk.account.has_lookup = not echoes
    await desk.connect()
    await desk.open()
    desk.account.switches.change({"reset_after_accept": 1})
    message_id = await desk.send()
    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.UNKNOWN

    (message,) = desk.account.messages.values()
    desk.account.report(message, "delivered")
    await desk.reports_come()
    await desk.pass_time(timedelta(seconds=10))

    assert await desk.status(message_id) is DeliveryStatus.DELIVERED


async def test_a_look_up_lifts_a_doubt_within_seconds(desk: PlatformDesk) -> None:
    desk.account.has_lookup = True
    await desk.connect()
    await desk.open()
    desk.account.switches.change({"reset_after_accept": 1})
    message_id = await desk.send()

    await desk.pass_time(timedelta(seconds=11))

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert desk.arrivals(message_id) == 1


async def test_a_receipt_lifts_even_a_presumed_failure(desk: PlatformDesk) -> None:
    await desk.connect()
    await desk.open()
    desk.account.switches.change({"reset_after_accept": 1})
    message_id = await desk.send()
    await desk.pass_time(FIVE_MINUTES)
    assert await desk.status(message_id) is DeliveryStatus.PRESUMED_FAILED

    (message,) = desk.account.messages.values()
    desk.account.report(message, "sent")
    await desk.reports_come()

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert (await desk.message(message_id)).failure is None


class Killed(Exception):
    """The worker's process is gone."""


@pytest.mark.parametrize("step", ["leased", "intended", "called", "written"])
@pytest.mark.parametrize("is_idempotent", [False, True], ids=["without keys", "with keys"])
async def test_a_worker_killed_at_any_step_neither_loses_nor_repeats(
    desk: PlatformDesk, step: str, is_idempotent: bool
) -> None:
    async def kill(reached: str) -> None:
        if reached == step:
            raise Killed

    await desk.connect(is_idempotent=is_idempotent)
    await desk.open()
    message_id = await desk.send()
    with pytest.raises(ExceptionGroup) as killed:
        await desk.dispatch(desk.dispatcher(hook=kill))
    assert killed.group_contains(Killed)

    await desk.pass_time(FIVE_MINUTES)

    status = await desk.status(message_id)
    calls = len(desk.calls(message_id))
    assert status not in OPEN
    assert desk.arrivals(message_id) <= 1
    if is_idempotent or step in {"leased", "written"}:
        assert status is DeliveryStatus.SENT
        assert desk.arrivals(message_id) == 1
    else:
        assert status is DeliveryStatus.PRESUMED_FAILED
        assert calls == (1 if step == "called" else 0)


async def test_an_answer_after_the_lease_was_lost_still_counts(desk: PlatformDesk) -> None:
    await desk.connect()
    await desk.open()
    message_id = await desk.send()

    async def lose_the_lease(reached: str) -> None:
        if reached == "called":
            desk.clock.advance(timedelta(seconds=31))
            await desk.dispatch()
            assert await desk.status(message_id) is DeliveryStatus.UNKNOWN

    await desk.dispatcher(hook=lose_the_lease).run_once()

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert len(desk.calls(message_id)) == 1


async def test_many_workers_send_each_message_once(desk: PlatformDesk) -> None:
    await desk.connect()
    customers = [f"customer-{number}" for number in range(12)]
    for customer in customers:
        await desk.open(customer)
    sent = [await desk.send(f"{n} for {c}", c) for c in customers for n in range(3)]

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(desk.dispatch())

    assert [desk.arrivals(message_id) for message_id in sent] == [1] * len(sent)
    for customer in customers:
        shown = [m.text for m in desk.account.messages.values() if m.customer_id == customer]
        assert shown == [f"{number} for {customer}" for number in range(3)]


async def test_without_the_fence_two_workers_would_send_twice(
    desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a worker that believes in its lease for ever."""
    await desk.connect(is_idempotent=True)
    desk.account.is_idempotent = False  # so that a repeat shows
    await desk.open()
    message_id = await desk.send()

    async def take_over(reached: str) -> None:
        if reached == "intended":
            desk.clock.advance(timedelta(seconds=31))
            await desk.dispatch()

    late = desk.dispatcher(hook=take_over)
    monotonic = desk.clock.monotonic()
    monkeypatch.setattr(late, "_left", lambda _: timedelta(seconds=30))
    await late.run_once()

    assert monotonic < desk.clock.monotonic()
    assert desk.arrivals(message_id) == 2


async def test_a_worker_that_is_late_does_not_call_at_all(desk: PlatformDesk) -> None:
    await desk.connect(is_idempotent=True)
    desk.account.is_idempotent = False
    await desk.open()
    message_id = await desk.send()

    async def take_over(reached: str) -> None:
        if reached == "intended":
            desk.clock.advance(timedelta(seconds=31))
            await desk.dispatch()

    await desk.dispatcher(hook=take_over).run_once()

    assert desk.arrivals(message_id) == 1


def test_the_longest_way_of_a_message_fits_into_five_minutes() -> None:
    longest = rules.START_WITHIN + rules.LEASE + rules.EVIDENCE_WITHIN

    assert rules.DECIDE_WITHIN < FIVE_MINUTES
    assert longest >= rules.START_WITHIN + rules.CALL_WITHIN + rules.EVIDENCE_WITHIN
    assert longest <= FIVE_MINUTES
    assert rules.CALL_WITHIN + rules.LEASE_MARGIN < rules.LEASE
