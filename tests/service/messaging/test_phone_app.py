"""Somebody answers from the platform's own app: it is stored once, and takes over from the AI."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inbox.messaging import v1
from services.messaging.actions.settings import update_settings
from services.messaging.events import PUBLISHES
from services.messaging.model.delivery import DeliveryStatus, FailureReason, ReceiptSource
from services.messaging.model.thread import ConversationMode, Thread
from services.messaging.store.history import get_thread, list_before
from suite.simulator.platform import DELIVERED
from tests.service.messaging.platform_desk import (
    CUSTOMER,
    PlatformDesk,
)

QUARTER = timedelta(minutes=15)


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    return platform_desk


async def answer(desk: PlatformDesk, text: str = "Olga here") -> str:
    """The owner answers from their own phone; the id that the platform gave."""
    message = desk.account.answer_from_phone(CUSTOMER, text)
    await desk.reports_come()
    return message.id


async def said(desk: PlatformDesk) -> list[v1.Message]:
    """What the customer reads, in order, as the events tell it."""
    rows = await desk.rows(
        "SELECT subject, payload FROM outbox WHERE workspace_id = $1 ORDER BY id", desk.workspace_id
    )
    events = [PUBLISHES[row[0].split(".")[3]].FromString(row[1]) for row in rows]
    created = [event.message for event in events if isinstance(event, v1.MessageCreated)]
    return [one for one in created if one.direction != v1.MESSAGE_DIRECTION_INTERNAL]


async def thread_of(desk: PlatformDesk) -> Thread:
    async with desk.app.begin(desk.workspace_id) as transaction:
        thread = await get_thread(transaction, desk.conversation())
    assert thread is not None
    return thread


async def test_an_answer_from_the_phone_takes_over_and_withdraws_what_the_ai_had_queued(
    desk: PlatformDesk,
) -> None:
    await desk.customer_writes()
    epoch = await desk.switch_mode(ConversationMode.AI)
    by_ai = await desk.send("I can help", mode_epoch=epoch)

    await answer(desk)
    await desk.dispatch()

    thread = await thread_of(desk)
    assert (thread.mode, thread.mode_epoch) == (ConversationMode.MANUAL, epoch + 1)
    assert thread.manual_until == desk.clock.now() + QUARTER
    withdrawn = await desk.message(by_ai)
    assert withdrawn.failure is not None
    assert withdrawn.failure.reason is FailureReason.TAKEN_OVER
    assert desk.calls(by_ai) == []
    *_, stored = await said(desk)
    assert (stored.author.kind, stored.text) == (v1.AUTHOR_KIND_PHONE_APP, "Olga here")
    assert stored.delivery_status == v1.DELIVERY_STATUS_SENT
    row = (await desk.rows("SELECT system_note::text FROM messages ORDER BY seq DESC LIMIT 1"))[0]
    assert '"phone_app"' in row[0]


async def test_an_answer_from_the_phone_begins_the_time_anew(desk: PlatformDesk) -> None:
    await desk.customer_writes()
    await desk.switch_mode(ConversationMode.AI)
    await desk.switch_mode(ConversationMode.MANUAL)
    before = await thread_of(desk)
    desk.clock.advance(timedelta(minutes=10))

    await answer(desk)

    after = await thread_of(desk)
    assert after.mode_epoch == before.mode_epoch
    assert after.manual_until == desk.clock.now() + QUARTER


async def test_an_echo_that_comes_again_is_stored_once(desk: PlatformDesk) -> None:
    await desk.customer_writes()
    message = desk.account.answer_from_phone(CUSTOMER, "Olga here")
    await desk.reports_come()
    epoch = await desk.switch_mode(ConversationMode.AI)

    desk.account.echo(message, app="phone")
    await desk.reports_come()

    assert [one.text for one in await said(desk)] == ["hola", "Olga here"]
    assert (await thread_of(desk)).mode_epoch == epoch


async def test_the_customer_reads_it_and_that_is_seen(desk: PlatformDesk) -> None:
    await desk.customer_writes()
    platform_id = await answer(desk)

    desk.account.report(desk.account.messages[platform_id], DELIVERED)
    await desk.reports_come()

    (stored,) = [one for one in await said(desk) if one.author.kind == v1.AUTHOR_KIND_PHONE_APP]
    assert await desk.status(stored.id) is DeliveryStatus.DELIVERED
    receipts = await desk.timeline(stored.id)
    assert [(one.status, one.source) for one in receipts] == [
        (DeliveryStatus.SENT, ReceiptSource.WEBHOOK),
        (DeliveryStatus.DELIVERED, ReceiptSource.WEBHOOK),
    ]


async def test_who_begins_a_conversation_from_the_phone_has_it(desk: PlatformDesk) -> None:
    """Also where new conversations are the AI's; no thread stands empty meanwhile."""
    await update_settings(
        desk.app,
        desk.clock,
        desk.owner,
        default_mode=ConversationMode.AI,
        resume_ai_after=None,
        expected_version=0,
    )

    await answer(desk, "Your order is ready")

    thread = await thread_of(desk)
    assert (thread.mode, thread.mode_epoch) == (ConversationMode.MANUAL, 2)
    rows = await desk.rows(
        "SELECT subject FROM outbox WHERE ordering_key = $1 ORDER BY id", thread.conversation_id
    )
    assert [row[0].split(".")[3] for row in rows] == [
        "thread_opened",
        "message_created",
        "mode_changed",
        "message_created",
    ]
    async with desk.app.begin(desk.workspace_id) as transaction:
        history = await list_before(
            transaction, thread.conversation_id, before_seq=9, limit=9, is_for_customer=False
        )
    assert [message.seq for message in history] == [2, 1]


@pytest.mark.parametrize("with_mark", [True, False], ids=["with our mark", "without it"])
async def test_our_own_echo_is_evidence_and_never_a_second_message(
    desk: PlatformDesk, with_mark: bool
) -> None:
    await desk.customer_writes()
    desk.account.echoes_callback_data = with_mark
    desk.account.switches.change({"echoes_own": True, "reports_by_itself": False})
    message_id = await desk.send()

    await desk.dispatch()
    await desk.reports_come()

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert ReceiptSource.WEBHOOK in {one.source for one in await desk.timeline(message_id)}
    assert [one.text for one in await said(desk)] == ["hola", "Hello!"]


async def test_our_own_echo_settles_a_send_whose_answer_was_lost(desk: PlatformDesk) -> None:
    await desk.customer_writes()
    desk.account.switches.change(
        {"echoes_own": True, "reports_by_itself": False, "reset_after_accept": 1}
    )
    message_id = await desk.send()

    await desk.dispatch()
    assert await desk.status(message_id) is DeliveryStatus.UNKNOWN
    await desk.reports_come()

    assert await desk.status(message_id) is DeliveryStatus.SENT
    assert desk.arrivals(message_id) == 1


async def test_an_echo_in_a_strangers_name_of_what_we_sent_is_not_stored_again(
    desk: PlatformDesk,
) -> None:
    """The negative control of the match by app: the platform's id alone suffices."""
    await desk.customer_writes()
    message_id = await desk.send()
    await desk.dispatch()
    (sent,) = [m for m in desk.account.messages.values() if m.callback_data]

    desk.account.echo(sent, app="phone")
    await desk.reports_come()

    assert [one.text for one in await said(desk)] == ["hola", "Hello!"]
    assert desk.arrivals(message_id) == 1
