"""Sending: idempotent, in dense order, refused where the mode or the channel says so."""

from __future__ import annotations

import asyncio

import grpc

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.model.channel import ChannelKind
from tests.service.messaging.desk import Desk, assert_events_tell_everything
from tests.service.messaging.refusals import refused


def request(conversation_id: str, text: str = "hello", **fields: object) -> v1.SendMessageRequest:
    values = {"client_message_id": new_id(), **fields}
    return v1.SendMessageRequest(conversation_id=conversation_id, text=text, **values)  # type: ignore[arg-type]


async def test_a_message_is_stored_with_its_author_and_waits_for_its_turn(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    response = await desk.maria.SendMessage(request(conversation_id))

    message = response.message
    assert not response.replayed
    assert (message.seq, message.text) == (2, "hello")
    assert message.author.display_name == "María"
    assert message.author.kind == v1.AUTHOR_KIND_MEMBER
    assert message.delivery_status == v1.DELIVERY_STATUS_QUEUED
    assert message.attempt_count == 1
    assert await desk.history(conversation_id) == [
        *(await desk.history(conversation_id))[:1],
        message,
    ]
    await assert_events_tell_everything(desk)


async def test_a_repeat_returns_the_original_and_adds_nothing(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    first = request(conversation_id)
    original = await desk.maria.SendMessage(first)
    events_before = await desk.published()

    again = await desk.maria.SendMessage(first)

    assert again.replayed
    assert again.message == original.message
    assert await desk.published() == events_before


async def test_the_same_message_sent_by_many_at_once_is_stored_once(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    first = request(conversation_id)

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_send(desk, first)) for _ in range(30)]

    responses = [call.result() for call in calls]
    assert len({response.message.id for response in responses}) == 1
    assert sum(not response.replayed for response in responses) == 1
    assert len(await desk.history(conversation_id)) == 2


async def test_the_id_of_one_message_cannot_stand_for_another(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    other_conversation = await desk.open_conversation()
    first = request(conversation_id)
    await desk.maria.SendMessage(first)
    other_words = v1.SendMessageRequest()
    other_words.CopyFrom(first)
    other_words.text = "something else"
    other_place = v1.SendMessageRequest()
    other_place.CopyFrom(first)
    other_place.conversation_id = other_conversation

    for reused in (other_words, other_place):
        async with refused("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.ALREADY_EXISTS):
            await desk.maria.SendMessage(reused)


async def test_fifty_senders_at_once_leave_a_dense_order(desk: Desk) -> None:
    conversations = [await desk.open_conversation() for _ in range(5)]

    async with asyncio.TaskGroup() as group:
        for sender in range(50):
            for number in range(4):
                conversation_id = conversations[(sender + number) % 5]
                group.create_task(_send(desk, request(conversation_id, f"{sender} {number}")))

    for conversation_id in conversations:
        history = await desk.history(conversation_id)
        assert [message.seq for message in history] == list(range(1, 42))
        thread = await desk.maria.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
        assert thread.thread.last_seq == 41
        assert thread.thread.inbound_count == 1
    created = [event for event in await desk.published() if isinstance(event, v1.MessageCreated)]
    for conversation_id in conversations:
        places = [
            event.message.seq
            for event in created
            if event.message.conversation_id == conversation_id
        ]
        assert places == list(range(1, 42))
    await assert_events_tell_everything(desk)


async def test_people_write_in_manual_mode_and_the_ai_in_ai_mode(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with refused("CONVERSATION_IN_MANUAL_MODE", grpc.StatusCode.FAILED_PRECONDITION):
        await desk.bot.SendMessage(request(conversation_id, mode_epoch=1))
    thread = await desk.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)
    async with refused("CONVERSATION_IN_AI_MODE", grpc.StatusCode.FAILED_PRECONDITION):
        await desk.maria.SendMessage(request(conversation_id))
    async with refused("MODE_EPOCH_STALE", grpc.StatusCode.ABORTED):
        await desk.bot.SendMessage(request(conversation_id, mode_epoch=thread.mode_epoch - 1))
    sent = await desk.bot.SendMessage(request(conversation_id, mode_epoch=thread.mode_epoch))

    assert sent.message.author.kind == v1.AUTHOR_KIND_AI
    # Between the customer's message and the AI's stands the row of the switch.
    assert [message.seq for message in await desk.history(conversation_id)] == [1, 2, 3]


async def test_a_repeat_returns_the_original_even_after_the_mode_changed(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    first = request(conversation_id)
    original = await desk.maria.SendMessage(first)
    await desk.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)

    again = await desk.maria.SendMessage(first)

    assert again.replayed
    assert again.message == original.message


async def test_a_disconnected_channel_takes_no_messages_and_a_broken_one_holds_them(
    desk: Desk,
) -> None:
    conversation_id = await desk.open_conversation()
    thread = await desk.maria.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))

    await desk.set_channel_state(thread.thread.channel_id, "reconnection_needed")
    held = await desk.maria.SendMessage(request(conversation_id))
    await desk.set_channel_state(thread.thread.channel_id, "not_connected")
    async with refused("CHANNEL_NOT_CONNECTED", grpc.StatusCode.FAILED_PRECONDITION):
        await desk.maria.SendMessage(request(conversation_id))

    assert held.message.delivery_status == v1.DELIVERY_STATUS_QUEUED


async def test_a_message_puts_its_thread_in_line_for_the_dispatcher(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    message = await desk.sends(conversation_id)

    async with desk.means.app.begin(desk.workspace_id) as transaction:
        lane = await transaction.raw.fetchrow(
            "SELECT next_attempt_time FROM dispatch_lanes WHERE conversation_id = $1",
            conversation_id,
        )
        attempt = await transaction.raw.fetchrow(
            "SELECT is_open, channel_key, seq FROM attempts WHERE message_id = $1", message.id
        )
    assert lane is not None
    assert lane["next_attempt_time"] == desk.means.clock.now()
    assert attempt is not None
    assert tuple(attempt) == (True, message.id, 2)


async def test_a_chat_boxs_message_is_sent_by_being_committed(desk: Desk) -> None:
    conversation_id = await desk.open_conversation(ChannelKind.WEB_CHAT)

    message = await desk.sends(conversation_id)

    receipts = await desk.maria.ListReceipts(v1.ListReceiptsRequest(message_id=message.id))
    assert message.delivery_status == v1.DELIVERY_STATUS_SENT
    assert [receipt.delivery_status for receipt in receipts.receipts] == [v1.DELIVERY_STATUS_SENT]
    assert receipts.receipts[0].source == v1.RECEIPT_SOURCE_API
    async with desk.means.app.begin(desk.workspace_id) as transaction:
        assert await transaction.raw.fetchval("SELECT count(*) FROM dispatch_lanes") == 0


async def test_only_those_who_may_send_do(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    for role in (Role.READ_ONLY, Role.SERVICE, Role.VISITOR):
        async with refused("ROLE_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED):
            await desk.as_role(role).SendMessage(request(conversation_id))


async def test_another_workspaces_conversation_does_not_exist(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with refused("CONVERSATION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await desk.elsewhere().SendMessage(request(conversation_id))


async def _send(desk: Desk, wanted: v1.SendMessageRequest) -> v1.SendMessageResponse:
    return await desk.maria.SendMessage(wanted)
