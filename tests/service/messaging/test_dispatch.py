"""Handing messages to a platform that behaves, and to one that does not (T11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.messaging.model.channel import ChannelState
from services.messaging.model.delivery import DeliveryStatus, FailureReason
from tests.service.messaging.platform_desk import PlatformDesk

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    await platform_desk.open()
    return platform_desk


async def test_a_message_goes_out_and_its_ticks_come_back(desk: PlatformDesk) -> None:
    message_id = await desk.send("Hello!")

    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.SENT
    await desk.reports_come()
    assert await desk.status(message_id) is DeliveryStatus.DELIVERED
    desk.account.see("ana")
    await desk.reports_come()

    assert await desk.status(message_id) is DeliveryStatus.READ
    assert desk.calls(message_id) == ["accepted"]
    assert await desk.status_events(message_id) == [
        DeliveryStatus.SENDING,
        DeliveryStatus.SENT,
        DeliveryStatus.DELIVERED,
        DeliveryStatus.READ,
    ]


async def test_messages_of_one_conversation_go_out_in_order(desk: PlatformDesk) -> None:
    sent = [await desk.send(f"number {number}") for number in range(5)]

    await desk.dispatch()

    shown = [message.text for message in desk.account.messages.values()]
    assert shown == [f"number {number}" for number in range(5)]
    assert [await desk.status(message_id) for message_id in sent] == [DeliveryStatus.SENT] * 5


async def test_a_refused_message_fails_with_its_reason(desk: PlatformDesk) -> None:
    desk.account.switches.change({"fail_next": 1, "fail_code": "window_closed"})
    message_id = await desk.send()

    await desk.dispatch()

    message = await desk.message(message_id)
    assert message.delivery_status is DeliveryStatus.REPORTED_FAILED
    assert message.failure is not None
    assert message.failure.reason is FailureReason.WINDOW_CLOSED
    assert message.failure.platform_code == "window_closed"


async def test_a_rate_limit_rests_the_channel_and_loses_nothing(desk: PlatformDesk) -> None:
    desk.account.switches.change({"rate_limit": 1, "retry_after_seconds": 20})
    first = await desk.send("one")
    second = await desk.send("two")

    await desk.dispatch()
    assert desk.calls(first) == ["rate_limited"]
    assert desk.calls(second) == []
    await desk.pass_time(timedelta(seconds=21))

    assert [m.text for m in desk.account.messages.values()] == ["one", "two"]


async def test_a_platform_that_cannot_be_reached_gets_it_later(desk: PlatformDesk) -> None:
    await desk.move_channel("http://127.0.0.1:9")
    message_id = await desk.send()

    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.SENDING
    await desk.move_channel(desk.simulator.url)
    await desk.pass_time(timedelta(seconds=20))

    assert await desk.status(message_id) in {DeliveryStatus.SENT, DeliveryStatus.DELIVERED}
    assert desk.arrivals(message_id) == 1


async def test_a_platform_that_stays_away_is_told_as_failed_and_safe_to_retry(
    desk: PlatformDesk,
) -> None:
    await desk.move_channel("http://127.0.0.1:9")
    message_id = await desk.send()

    await desk.pass_time(FIVE_MINUTES)

    message = await desk.message(message_id)
    assert message.delivery_status is DeliveryStatus.REPORTED_FAILED
    assert message.failure is not None
    assert message.failure.reason is FailureReason.NETWORK
    assert not message.failure.may_have_arrived


async def test_an_expired_token_asks_for_reconnection_and_holds_what_waits(
    desk: PlatformDesk,
) -> None:
    desk.account.switches.change({"is_token_expired": True})
    first, second = await desk.send("one"), await desk.send("two")

    await desk.dispatch()
    channel = await desk.read_channel()
    assert channel.state is ChannelState.RECONNECTION_NEEDED
    assert channel.state_reason == "token_expired"
    assert desk.calls(first) == ["token_expired"]
    assert desk.calls(second) == []
    await desk.pass_time(FIVE_MINUTES)

    for message_id in (first, second):
        message = await desk.message(message_id)
        assert message.delivery_status is DeliveryStatus.REPORTED_FAILED
        assert message.failure is not None
        assert message.failure.reason is FailureReason.CHANNEL_NEEDS_RECONNECTION
    assert len(desk.account.calls) == 1


async def test_reconnecting_sends_what_failed_for_it_by_itself_and_in_order(
    desk: PlatformDesk,
) -> None:
    desk.account.switches.change({"is_token_expired": True})
    sent = [await desk.send(f"number {number}") for number in range(3)]
    await desk.pass_time(FIVE_MINUTES)
    desk.account.switches.change({"is_token_expired": False})

    await desk.reconnect()
    await desk.dispatch()

    assert [m.text for m in desk.account.messages.values()] == [f"number {n}" for n in range(3)]
    assert [await desk.status(message_id) for message_id in sent] == [DeliveryStatus.SENT] * 3
    assert [(await desk.message(message_id)).attempt_count for message_id in sent] == [2] * 3


async def test_failures_older_than_a_quarter_of_an_hour_wait_for_a_person(
    desk: PlatformDesk,
) -> None:
    desk.account.switches.change({"is_token_expired": True})
    message_id = await desk.send()
    await desk.pass_time(FIVE_MINUTES)
    await desk.pass_time(timedelta(minutes=20), step=timedelta(minutes=1))
    desk.account.switches.change({"is_token_expired": False})

    await desk.reconnect()
    await desk.dispatch()

    assert await desk.status(message_id) is DeliveryStatus.REPORTED_FAILED
    assert desk.arrivals(message_id) == 0


async def test_a_late_failure_is_shown_and_a_later_delivery_beats_it(desk: PlatformDesk) -> None:
    desk.account.switches.change({"fail_late": 1})
    message_id = await desk.send()
    await desk.dispatch()
    await desk.reports_come()
    assert await desk.status(message_id) is DeliveryStatus.REPORTED_FAILED

    (message,) = [m for m in desk.account.messages.values() if m.text == "Hello!"]
    desk.account.report(message, "delivered")
    await desk.reports_come()

    assert await desk.status(message_id) is DeliveryStatus.DELIVERED
    assert (await desk.message(message_id)).failure is None


async def test_a_receipt_that_overtakes_the_answer_is_not_lost(desk: PlatformDesk) -> None:
    desk.account.echoes_callback_data = False
    desk.account.switches.change({"report_before_answer": 1})
    message_id = await desk.send()

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(desk.dispatch(desk.dispatcher(call_seconds=5)))
        while not desk.hook_answers[200]:
            await asyncio.sleep(0.01)
        await desk.reports_come()
        assert await desk.status(message_id) is DeliveryStatus.SENDING
        await sending

    assert await desk.status(message_id) is DeliveryStatus.DELIVERED
    assert not await desk.rows("SELECT 1 FROM pending_receipts")


async def test_receipts_twice_and_in_any_order_give_one_result(desk: PlatformDesk) -> None:
    desk.account.switches.change({"duplicates": True, "shuffles": True})
    sent = [await desk.send(f"number {number}") for number in range(8)]
    await desk.dispatch()
    desk.account.see("ana")
    await desk.reports_come()
    desk.account.see("ana")
    await desk.reports_come()

    for message_id in sent:
        assert await desk.status(message_id) is DeliveryStatus.READ
        events = await desk.status_events(message_id)
        assert events == sorted(set(events))


async def test_a_second_channel_goes_on_while_the_first_one_rests(desk: PlatformDesk) -> None:
    desk.account.switches.change({"rate_limit": 1, "retry_after_seconds": 60})
    await desk.send()
    await desk.dispatch()
    await desk.connect()
    await desk.open()
    message_id = await desk.send()

    await desk.dispatch()

    assert await desk.status(message_id) is DeliveryStatus.SENT


async def test_credentials_nobody_can_read_ask_for_reconnection(desk: PlatformDesk) -> None:
    await desk.lose_master_key()
    await desk.send()

    await desk.dispatch()

    assert (await desk.read_channel()).state is ChannelState.RECONNECTION_NEEDED
