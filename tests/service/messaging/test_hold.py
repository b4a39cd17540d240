"""Which person has a conversation: who took it over or wrote last, and since when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.model.draft import Draft
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId
from tests.service.messaging.desk import Desk, assert_events_tell_everything
from tests.service.messaging.test_remembered_threads import a_session, write

AI, MANUAL = v1.CONVERSATION_MODE_AI, v1.CONVERSATION_MODE_MANUAL


async def holder(desk: Desk, conversation_id: str) -> str:
    return (await desk.thread(conversation_id)).hold.member_id


async def bo_sends(desk: Desk, conversation_id: str) -> None:
    bo = desk.as_role(Role.AGENT, id="bo", display_name="Bo")
    await bo.SendMessage(
        v1.SendMessageRequest(
            conversation_id=conversation_id, client_message_id=new_id(), text="I help too"
        )
    )


async def test_whoever_takes_over_has_it_until_the_ai_does(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    assert await holder(desk, conversation_id) == ""

    await desk.hand_over(conversation_id, AI)
    taken = await desk.hand_over(conversation_id, MANUAL)

    assert taken.hold.member_id == "maria"
    now = desk.means.clock.now()
    assert taken.hold.since.ToDatetime(now.tzinfo) == now
    back = await desk.hand_over(conversation_id, AI)
    assert not back.HasField("hold")
    await assert_events_tell_everything(desk)


async def test_what_the_ai_hands_over_nobody_has_until_one_writes(desk: Desk) -> None:
    thread = await desk.hand_over(await desk.open_conversation(), AI)
    waiting = await desk.ai_hands_over(thread)
    assert not waiting.HasField("hold")

    await desk.sends(waiting.conversation_id)

    assert await holder(desk, waiting.conversation_id) == "maria"
    await assert_events_tell_everything(desk)


async def test_a_colleague_who_writes_has_it_and_who_goes_on_keeps_it(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    await desk.sends(conversation_id)
    first = (await desk.thread(conversation_id)).hold

    desk.means.clock.advance(timedelta(minutes=3))  # type: ignore[attr-defined]
    await desk.sends(conversation_id)
    assert (await desk.thread(conversation_id)).hold == first
    await bo_sends(desk, conversation_id)

    hold = (await desk.thread(conversation_id)).hold
    assert hold.member_id == "bo"
    assert hold.since.ToNanoseconds() - first.since.ToNanoseconds() == 180 * 10**9
    await assert_events_tell_everything(desk)


async def test_taking_over_what_a_colleague_has_is_told_once_and_switches_nothing(
    desk: Desk,
) -> None:
    conversation_id = await desk.open_conversation()
    await bo_sends(desk, conversation_id)
    before = await desk.published()

    taken = await desk.hand_over(conversation_id, MANUAL)
    again = await desk.hand_over(conversation_id, MANUAL)

    assert (taken.hold.member_id, again) == ("maria", taken)
    [told] = (await desk.published())[len(before) :]
    assert isinstance(told, v1.ModeChanged)
    assert told.thread == taken
    await assert_events_tell_everything(desk)


@pytest.mark.parametrize("authors", ["ab", "aba", "bab", "aa", "ba"])
async def test_a_batch_leaves_in_the_rows_what_it_told(desk: Desk, authors: str) -> None:
    """The rule stands once more in the statement of the group commit; the two must agree."""
    conversation_id = await desk.open_conversation()
    async with a_session(desk) as session:
        for batch in ("a", authors):
            desk.means.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
            drafts = [
                Draft(
                    ConversationId(conversation_id),
                    new_id(),
                    Author(AuthorKind.MEMBER, author, author),
                    "hello",
                )
                for author in batch
            ]
            await write(desk, session, *drafts)

    await assert_events_tell_everything(desk)
    assert await holder(desk, conversation_id) == authors[-1]
