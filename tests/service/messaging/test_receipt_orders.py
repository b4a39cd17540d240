"""The status is a function of the set of evidence, in the real store (T10, I8)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import new_id
from services.messaging.actions import receipts as actions
from services.messaging.actions.evidence import take_in_evidence
from services.messaging.actions.receipts import take_in_report
from services.messaging.actions.retry import add_attempts
from services.messaging.channels.port import StatusReport
from services.messaging.model.delivery import (
    AttemptState,
    DeliveryState,
    DeliveryStatus,
    Evidence,
    Failure,
    FailureReason,
    ReceiptSource,
    after_evidence,
    delivery_of,
)
from services.messaging.model.message import MessageId
from services.messaging.store.delivery import NewReceipt, lock_thread
from tests.service.messaging.platform_desk import PlatformDesk

PRESUMED = Failure(FailureReason.NO_ANSWER, may_have_arrived=True)
REPORTABLE = (
    DeliveryStatus.SENT,
    DeliveryStatus.REPORTED_FAILED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
)
FAILURES = (
    Failure(FailureReason.RECIPIENT_UNAVAILABLE, "131026", is_retryable=False),
    Failure(FailureReason.PLATFORM_ERROR, "131000"),
)
WORKING_ON_IT = DeliveryStatus.SENDING


class Crashed(Exception):
    """The process died before its commit."""


@dataclass(frozen=True)
class Said:
    """One thing the platform says about one attempt."""

    attempt: int
    status: DeliveryStatus
    failure: Failure | None


evidence = st.builds(
    lambda attempt, status, failure: Said(attempt, status, failure if status.is_failed else None),
    st.integers(1, 2),
    st.sampled_from(REPORTABLE),
    st.sampled_from(FAILURES),
)


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    await platform_desk.open()
    return platform_desk


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(said=st.lists(evidence, min_size=1, max_size=5), data=st.data())
async def test_any_order_and_repetition_gives_one_result(
    desk: PlatformDesk, said: list[Said], data: st.DataObject
) -> None:
    repeated = said + data.draw(st.lists(st.sampled_from(said), max_size=3))
    shuffled = data.draw(st.permutations(repeated))
    crashes = data.draw(st.sets(st.integers(0, len(shuffled) - 1), max_size=2))
    one, other = await a_tried_message(desk), await a_tried_message(desk)

    for entry in said:
        await hear(desk, one, entry)
    for place, entry in enumerate(shuffled):
        if place in crashes:
            await crash_while_hearing(desk, other, entry)
        await hear(desk, other, entry)

    expected = fold(said)
    assert await shown(desk, one) == expected
    assert await shown(desk, other) == expected
    for message_id in (one, other):
        await events_are_what_was_shown(desk, message_id, expected.status)


async def test_counting_the_last_word_instead_would_be_noticed(
    desk: PlatformDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a status that follows whatever came last."""

    def last_word(attempt: AttemptState, given: Evidence) -> AttemptState:
        return AttemptState(attempt.number, given.status, given.failure)

    monkeypatch.setattr("services.messaging.actions.evidence.after_evidence", last_word)
    message_id = await a_tried_message(desk)
    said = [Said(2, DeliveryStatus.READ, None), Said(2, DeliveryStatus.SENT, None)]

    for entry in said:
        await hear(desk, message_id, entry)

    assert await shown(desk, message_id) != fold(said)


async def a_tried_message(desk: PlatformDesk) -> MessageId:
    """A message whose first attempt is presumed failed and whose second is under way."""
    message_id = MessageId(await desk.send(new_id()))
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await lock_thread(transaction, desk.conversation())
        now = desk.clock.now()
        presumed = NewReceipt(
            message_id, 1, DeliveryStatus.PRESUMED_FAILED, ReceiptSource.DEADLINE, PRESUMED
        )
        await take_in_evidence(transaction, desk.workspace_id, [presumed], at=now)
        await add_attempts(
            transaction, desk.workspace_id, [message_id], source=ReceiptSource.API, at=now
        )
        trying = NewReceipt(message_id, 2, WORKING_ON_IT, ReceiptSource.DISPATCH)
        await take_in_evidence(transaction, desk.workspace_id, [trying], at=now)
    return message_id


def report(message_id: str, entry: Said) -> StatusReport:
    return StatusReport(
        dedupe_key=new_id(),
        external_id="ana",
        platform_message_id=f"{message_id}-{entry.attempt}",
        callback_data=f"{message_id}.{entry.attempt}",
        status=entry.status,
        failure=entry.failure,
        platform_time=None,
    )


async def hear(desk: PlatformDesk, message_id: str, entry: Said) -> None:
    await take_in_report(
        desk.worker,
        desk.workspace_id,
        desk.channel.id,
        report(message_id, entry),
        at=desk.clock.now(),
    )


async def crash_while_hearing(desk: PlatformDesk, message_id: str, entry: Said) -> None:

    async def crash(*given: object, **named: object) -> None:
        await take_in_evidence(*given, **named)  # type: ignore[arg-type]
        raise Crashed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crashed):
        patch.setattr(actions, "take_in_evidence", crash)
        await hear(desk, message_id, entry)


def fold(said: list[Said]) -> DeliveryState:
    """What the evidence adds up to, by the rule alone."""
    attempts = {
        1: AttemptState(1, DeliveryStatus.PRESUMED_FAILED, PRESUMED),
        2: AttemptState(2, WORKING_ON_IT),
    }
    for entry in said:
        attempts[entry.attempt] = after_evidence(
            attempts[entry.attempt], Evidence(entry.attempt, entry.status, entry.failure)
        )
    return delivery_of(list(attempts.values()))


async def shown(desk: PlatformDesk, message_id: str) -> DeliveryState:
    message = await desk.message(message_id)
    assert message.delivery_status is not None
    return DeliveryState(message.delivery_status, message.failure, message.attempt_count)


async def events_are_what_was_shown(
    desk: PlatformDesk, message_id: str, status: DeliveryStatus
) -> None:
    """One event for each change of the visible message: its version counts them."""
    told = await desk.status_events(message_id)
    message = await desk.message(message_id)

    assert told[-1] is status
    assert len(told) == message.version - 1
