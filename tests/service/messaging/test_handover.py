"""The AI gives conversations to people: who may, what is told, and when the waiting ends."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from tests.service.messaging.desk import Desk, assert_events_tell_everything
from tests.service.messaging.refusals import refused
from tests.service.messaging.test_mode import ai_sends

AI, MANUAL = v1.CONVERSATION_MODE_AI, v1.CONVERSATION_MODE_MANUAL


async def with_ai(desk: Desk) -> v1.Thread:
    return await desk.hand_over(await desk.open_conversation(), AI)


async def test_a_handover_waits_for_a_person_and_says_why(desk: Desk) -> None:
    thread = await with_ai(desk)
    by_ai = await ai_sends(desk, thread)

    waiting = await desk.ai_hands_over(
        thread,
        reason=v1.HANDOVER_REASON_UNSURE,
        fields=[v1.CollectedField(key="order", value="A-17", source_seq=1)],
    )

    assert (waiting.mode, waiting.mode_epoch) == (MANUAL, thread.mode_epoch + 1)
    assert waiting.handover.reason == v1.HANDOVER_REASON_UNSURE
    assert waiting.handover.summary == "Ana wants her money back"
    assert waiting.handover.fields[0] == v1.CollectedField(key="order", value="A-17", source_seq=1)
    now = desk.means.clock.now()
    assert waiting.handover.create_time.ToDatetime(now.tzinfo) == now
    assert waiting.manual_until.ToDatetime(now.tzinfo) == now + timedelta(minutes=15)
    *_, withdrawn, row = await desk.history(thread.conversation_id)
    assert (withdrawn.id, withdrawn.failure.reason) == (by_ai.id, v1.FAILURE_REASON_TAKEN_OVER)
    assert row.direction == v1.MESSAGE_DIRECTION_INTERNAL
    assert row.system_note.handover == waiting.handover
    *_, changed, noted = await desk.published()
    assert isinstance(changed, v1.ModeChanged)
    assert changed.author.kind == v1.AUTHOR_KIND_AI
    assert changed.thread.handover == waiting.handover
    assert isinstance(noted, v1.MessageCreated)
    assert (noted.message, noted.thread) == (row, waiting)
    await assert_events_tell_everything(desk)


async def test_the_first_message_of_a_person_ends_the_waiting(desk: Desk) -> None:
    waiting = await desk.ai_hands_over(await with_ai(desk))

    await desk.sends(waiting.conversation_id, "I am here")

    assert not (await desk.thread(waiting.conversation_id)).HasField("handover")
    await assert_events_tell_everything(desk)


async def test_taking_what_waits_ends_the_waiting_without_another_switch(desk: Desk) -> None:
    waiting = await desk.ai_hands_over(await with_ai(desk))

    taken = await desk.hand_over(waiting.conversation_id, MANUAL)

    assert (taken.mode_epoch, taken.last_seq) == (waiting.mode_epoch, waiting.last_seq)
    assert not taken.HasField("handover")
    await assert_events_tell_everything(desk)


async def test_a_repeat_hands_nothing_over_again(desk: Desk) -> None:
    thread = await with_ai(desk)
    request_id = new_id()
    await desk.ai_hands_over(thread, request_id=request_id)
    back = await desk.hand_over(thread.conversation_id, AI)

    again = await desk.ai_hands_over(thread, request_id=request_id)

    assert again == back
    async with refused("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.ALREADY_EXISTS):
        await desk.ai_hands_over(thread, request_id=request_id, summary="something else")


async def test_only_the_ai_that_has_it_hands_over(desk: Desk) -> None:
    """After a takeover the AI's handover is as late as its message would be (I15)."""
    thread = await with_ai(desk)
    taken_over = await desk.hand_over(thread.conversation_id, MANUAL)
    before = await desk.published()

    async with refused("CONVERSATION_IN_MANUAL_MODE", grpc.StatusCode.FAILED_PRECONDITION):
        await desk.ai_hands_over(taken_over)
    await desk.hand_over(thread.conversation_id, AI)
    async with refused("MODE_EPOCH_STALE", grpc.StatusCode.ABORTED):
        await desk.ai_hands_over(thread)

    assert not any(
        isinstance(event, v1.ModeChanged) and event.thread.HasField("handover")
        for event in (await desk.published())[len(before) :]
    )


@pytest.mark.parametrize("role", [Role.OWNER, Role.AGENT, Role.READ_ONLY])
async def test_people_take_over_and_do_not_hand_over(desk: Desk, role: Role) -> None:
    async with refused("ROLE_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED):
        await desk.as_role(role).HandOver(v1.HandOverRequest())


async def test_a_handover_that_makes_no_sense_is_refused(desk: Desk) -> None:
    thread = await with_ai(desk)

    async with refused("INVALID_ARGUMENT", grpc.StatusCode.INVALID_ARGUMENT):
        await desk.ai_hands_over(thread, reason=v1.HANDOVER_REASON_UNSPECIFIED)
    async with refused("INVALID_ARGUMENT", grpc.StatusCode.INVALID_ARGUMENT):
        await desk.ai_hands_over(thread, summary="x" * 2_001)
    async with refused("CONVERSATION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await desk.ai_hands_over(thread, conversation_id=new_id())


async def test_the_largest_handover_fits_the_largest_event(desk: Desk) -> None:
    """Every event of a waiting thread carries it, beside a customer's longest message."""
    thread = await with_ai(desk)
    fields = [
        v1.CollectedField(key=f"{number:02}" + "\U0001f600" * 62, value="\U0001f600" * 500)
        for number in range(16)
    ]

    waiting = await desk.ai_hands_over(thread, summary="\U0001f600" * 2_000, fields=fields)
    await desk.customer_writes(waiting.channel_id, "\U0001f600" * 32_768)  # type: ignore[arg-type]

    assert (await desk.thread(thread.conversation_id)).last_seq == waiting.last_seq + 1
