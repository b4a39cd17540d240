"""Trying failed messages again: one more attempt, never two."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chassis.database import Database
from chassis.errors import IdempotencyKeyReused
from chassis.ids import WorkspaceId, new_id
from services.messaging.model.delivery import DeliveryStatus, FailureReason, ReceiptSource
from services.messaging.model.faults import (
    ConversationInAiMode,
    MessageNotFailed,
    MessageNotFound,
    MessageNotRetryable,
)
from services.messaging.model.thread import ConversationMode
from tests.service.messaging.platform_desk import PlatformDesk, running_platform_desk

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    platform_desk.account.has_lookup = False
    await platform_desk.connect()
    await platform_desk.open()
    return platform_desk


async def a_failed_message(desk: PlatformDesk, code: str = "account_blocked") -> str:
    desk.account.switches.change({"fail_next": 1, "fail_code": code})
    message_id = await desk.send()
    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.REPORTED_FAILED
    return message_id


async def test_a_retry_sends_the_same_message_again(desk: PlatformDesk) -> None:
    message_id = await a_failed_message(desk)

    retried = await desk.retry(message_id)
    assert (retried.delivery_status, retried.failure) == (DeliveryStatus.QUEUED, None)
    await desk.dispatch()

    message = await desk.message(message_id)
    assert (message.delivery_status, message.attempt_count) == (DeliveryStatus.SENT, 2)
    assert desk.calls(message_id) == ["account_blocked", "accepted"]
    retry = next(r for r in await desk.timeline(message_id) if r.source is ReceiptSource.API
                 and r.attempt_number == 2)  # fmt: skip
    assert retry.author is not None
    assert retry.author.display_name == "Olga"


async def test_many_clicks_are_one_attempt(desk: PlatformDesk) -> None:
    message_id = await a_failed_message(desk)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(desk.retry(message_id))
    await desk.dispatch()

    assert desk.calls(message_id) == ["account_blocked", "accepted"]
    assert (await desk.message(message_id)).attempt_count == 2


async def test_a_repeated_request_makes_no_further_attempt(desk: PlatformDesk) -> None:
    message_id = await a_failed_message(desk)
    request_id = new_id()
    await desk.retry(message_id, request_id)
    desk.account.switches.change({"fail_next": 1})
    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.REPORTED_FAILED

    await desk.retry(message_id, request_id)

    assert (await desk.message(message_id)).attempt_count == 2


async def test_a_request_id_stands_for_one_message(desk: PlatformDesk) -> None:
    one, other = await a_failed_message(desk), await a_failed_message(desk)
    request_id = new_id()
    await desk.retry(one, request_id)

    with pytest.raises(IdempotencyKeyReused):
        await desk.retry(other, request_id)


async def test_only_what_failed_and_may_be_repeated_is_retried(desk: PlatformDesk) -> None:
    sent = await desk.send()
    await desk.dispatch()
    hopeless = await a_failed_message(desk, "recipient_unavailable")
    failed = await a_failed_message(desk)
    await desk.switch_mode(ConversationMode.AI)

    with pytest.raises(MessageNotFailed):
        await desk.retry(sent)
    with pytest.raises(MessageNotRetryable):
        await desk.retry(hopeless)
    with pytest.raises(ConversationInAiMode):
        await desk.retry(failed)
    with pytest.raises(MessageNotFound):
        await desk.retry(new_id())


async def test_a_presumed_failure_may_be_retried_with_its_warning(desk: PlatformDesk) -> None:
    desk.account.switches.change({"reset_after_accept": 1})
    desk.account.switches.change({"reports_by_itself": False})
    message_id = await desk.send()
    await desk.pass_time(FIVE_MINUTES)
    message = await desk.message(message_id)
    assert message.failure is not None
    assert message.failure.may_have_arrived

    await desk.retry(message_id)
    await desk.dispatch()

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert desk.arrivals(message_id) == 2  # what the warning says


async def test_a_late_receipt_of_the_first_attempt_cancels_the_queued_second(
    desk: PlatformDesk,
) -> None:
    desk.account.switches.change({"reset_after_accept": 1, "reports_by_itself": False})
    message_id = await desk.send()
    await desk.pass_time(FIVE_MINUTES)
    await desk.retry(message_id)

    (message,) = desk.account.messages.values()
    desk.account.report(message, "delivered")
    await desk.reports_come()
    await desk.pass_time(timedelta(seconds=30))

    assert await desk.status(message_id) is DeliveryStatus.DELIVERED
    assert desk.arrivals(message_id) == 1
    assert len(desk.calls(message_id)) == 1


async def test_a_late_receipt_also_stops_a_second_attempt_between_its_calls(
    desk: PlatformDesk,
) -> None:
    desk.account.switches.change({"reset_after_accept": 1, "reports_by_itself": False})
    message_id = await desk.send()
    await desk.pass_time(FIVE_MINUTES)
    desk.account.switches.change({"rate_limit": 1, "retry_after_seconds": 20})
    await desk.retry(message_id)
    await desk.dispatch()
    assert desk.calls(message_id) == ["accepted", "rate_limited"]

    (message,) = desk.account.messages.values()
    desk.account.report(message, "sent")
    await desk.reports_come()
    await desk.pass_time(timedelta(minutes=1))

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert desk.calls(message_id) == ["accepted", "rate_limited"]


async def test_a_retry_on_a_platform_with_keys_cannot_arrive_twice(
    app: Database, worker: Database, workspace_id: WorkspaceId
) -> None:
    async with running_platform_desk(app, worker, workspace_id) as desk:
        desk.account.has_lookup = False
        await desk.connect(is_idempotent=True)
        await desk.open()
        desk.account.switches.change({"reset_after_accept": -1, "reports_by_itself": False})
        message_id = await desk.send()
        await desk.pass_time(FIVE_MINUTES)
        desk.account.switches.change({"reset_after_accept": 0})

        await desk.retry(message_id)
        await desk.dispatch()

        assert await desk.status(message_id) is DeliveryStatus.SENT
        assert desk.arrivals(message_id) == 1


async def test_a_takeover_keeps_the_ais_message_from_being_sent(desk: PlatformDesk) -> None:
    epoch = await desk.switch_mode(ConversationMode.AI)
    desk.account.switches.change({"rate_limit": 1, "retry_after_seconds": 20})
    message_id = await desk.send("from the AI", mode_epoch=epoch)
    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.SENDING

    await desk.switch_mode(ConversationMode.MANUAL)
    await desk.pass_time(timedelta(minutes=1))

    message = await desk.message(message_id)
    assert message.failure is not None
    assert message.failure.reason is FailureReason.TAKEN_OVER
    assert desk.arrivals(message_id) == 0
