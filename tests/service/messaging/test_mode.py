"""Takeovers: nothing of the AI is accepted, or begins to be sent, after the switch (I15)."""

from __future__ import annotations

import grpc

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from tests.service.messaging.desk import Desk, assert_events_tell_everything
from tests.service.messaging.refusals import refused

AI, MANUAL = v1.CONVERSATION_MODE_AI, v1.CONVERSATION_MODE_MANUAL


def switch(
    conversation_id: str, mode: v1.ConversationMode.ValueType, **fields: object
) -> v1.SetModeRequest:
    values = {"request_id": new_id(), **fields}
    return v1.SetModeRequest(conversation_id=conversation_id, mode=mode, **values)  # type: ignore[arg-type]


async def ai_sends(desk: Desk, thread: v1.Thread) -> v1.Message:
    response = await desk.bot.SendMessage(
        v1.SendMessageRequest(
            conversation_id=thread.conversation_id,
            client_message_id=new_id(),
            text="I can help",
            mode_epoch=thread.mode_epoch,
        )
    )
    return response.message


async def test_taking_over_withdraws_what_the_ai_had_queued(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    by_maria = await desk.sends(conversation_id, "one moment")
    thread = await desk.hand_over(conversation_id, AI)
    by_ai = await ai_sends(desk, thread)

    taken_over = await desk.hand_over(conversation_id, MANUAL)

    assert taken_over.mode_epoch == thread.mode_epoch + 1
    _, kept, to_ai, withdrawn, to_people = await desk.history(conversation_id)
    assert (kept.id, kept.delivery_status) == (by_maria.id, v1.DELIVERY_STATUS_QUEUED)
    assert (withdrawn.id, withdrawn.version) == (by_ai.id, 2)
    assert withdrawn.delivery_status == v1.DELIVERY_STATUS_REPORTED_FAILED
    assert withdrawn.failure.reason == v1.FAILURE_REASON_TAKEN_OVER
    assert not withdrawn.failure.is_retryable
    receipts = await desk.maria.ListReceipts(v1.ListReceiptsRequest(message_id=by_ai.id))
    assert [receipt.author.id for receipt in receipts.receipts] == ["", "maria"]
    *_, changed, switched, noted = await desk.published()
    assert isinstance(changed, v1.DeliveryStatusChanged)
    assert isinstance(switched, v1.ModeChanged)
    assert isinstance(noted, v1.MessageCreated)
    assert switched.author.display_name == "María"
    assert (noted.message, noted.thread) == (to_people, taken_over)
    for row, mode in ((to_ai, AI), (to_people, MANUAL)):
        assert row.direction == v1.MESSAGE_DIRECTION_INTERNAL
        assert row.author == v1.Author(kind=v1.AUTHOR_KIND_SYSTEM)
        told = row.system_note.mode_switched
        assert (told.mode, told.author.display_name) == (mode, "María")
    await assert_events_tell_everything(desk)


async def test_a_repeat_of_a_switch_changes_nothing(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    first = switch(conversation_id, AI)
    await desk.maria.SetMode(first)
    back = await desk.hand_over(conversation_id, MANUAL)

    again = await desk.maria.SetMode(first)

    assert again.thread == back


async def test_a_request_id_of_another_switch_is_refused(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    first = switch(conversation_id, AI)
    await desk.maria.SetMode(first)

    async with refused("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.ALREADY_EXISTS):
        await desk.maria.SetMode(switch(conversation_id, MANUAL, request_id=first.request_id))


async def test_the_mode_it_has_already_publishes_nothing(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    # In manual mode from the beginning, but nobody had it.
    taken = await desk.hand_over(conversation_id, MANUAL)
    before = await desk.published()

    again = await desk.hand_over(conversation_id, MANUAL)

    assert again == taken
    assert await desk.published() == before


async def test_a_switch_that_expects_another_epoch_is_refused(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    thread = await desk.hand_over(conversation_id, AI)

    async with refused("MODE_EPOCH_STALE", grpc.StatusCode.ABORTED):
        await desk.maria.SetMode(
            switch(conversation_id, MANUAL, expected_mode_epoch=thread.mode_epoch - 1)
        )


async def test_roles_that_only_read_cannot_switch(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with refused("ROLE_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED):
        await desk.as_role(Role.READ_ONLY).SetMode(switch(conversation_id, AI))
    async with refused("CONVERSATION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await desk.elsewhere().SetMode(switch(conversation_id, AI))
