"""A send whose answer is lost: once, as long as it stays the same request."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import grpc
import pytest

from inbox.messaging import v1
from inbox_client import AsyncInbox, Inbox, InboxError, Retries
from tests.cuttable_line import Line
from tests.service.chassis.eventing import until
from tests.service.client.conftest import QUICK
from tests.service.messaging.desk import Desk

ONCE = Retries(tries=1)


async def said(desk: Desk, conversation_id: str) -> list[str]:
    """What the business said."""
    history = await desk.history(conversation_id)
    return [one.text for one in history if one.author.kind == v1.AUTHOR_KIND_MEMBER]


async def lose_an_answer(
    desk: Desk, line: Line, conversation_id: str, sending: asyncio.Task[v1.Message]
) -> None:
    """The message is stored, its answer is on the way, the line is cut."""

    async def is_stored() -> bool:
        return bool(await said(desk, conversation_id))

    await until(is_stored)
    assert not sending.done()
    line.cut()


async def test_a_send_over_a_line_that_was_cut_is_one_message(
    desk: Desk, line: Line, key: str
) -> None:
    conversation_id = await desk.open_conversation()
    async with AsyncInbox(line.address, key, retries=QUICK) as inbox, asyncio.TaskGroup() as group:
        await inbox.messaging.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
        line.hold_answers()
        sending = group.create_task(inbox.send(conversation_id, "hello"))

        await lose_an_answer(desk, line, conversation_id, sending)
        message = await sending

    assert message.text == "hello"
    assert await said(desk, conversation_id) == ["hello"]
    assert line.connections == 2


async def test_a_synchronous_send_over_a_line_that_was_cut_is_one_message(
    desk: Desk, line: Line, key: str
) -> None:
    conversation_id = await desk.open_conversation()
    with Inbox(line.address, key, retries=QUICK) as inbox:
        request = v1.GetThreadRequest(conversation_id=conversation_id)
        await asyncio.to_thread(inbox.messaging.GetThread, request)
        line.hold_answers()
        async with asyncio.TaskGroup() as group:
            work = asyncio.to_thread(inbox.send, conversation_id, "hello")
            sending = group.create_task(work)
            await lose_an_answer(desk, line, conversation_id, sending)
        message = await sending

    assert message.text == "hello"
    assert await said(desk, conversation_id) == ["hello"]
    assert line.connections == 2


@pytest.mark.parametrize(
    ("is_the_same", "messages"), [(True, ["hello"]), (False, ["hello", "hello"])]
)
async def test_only_the_same_request_is_the_same_message(
    desk: Desk, line: Line, key: str, is_the_same: bool, messages: list[str]
) -> None:
    """With its negative control: who sends again with a fresh id sends twice."""
    conversation_id = await desk.open_conversation()
    async with AsyncInbox(line.address, key, retries=ONCE) as inbox:
        await inbox.messaging.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
        line.hold_answers()
        sending = asyncio.ensure_future(inbox.send(conversation_id, "hello"))
        await lose_an_answer(desk, line, conversation_id, sending)
        with pytest.raises(InboxError) as lost:
            await sending
        assert lost.value.code is grpc.StatusCode.UNAVAILABLE

    request = lost.value.request
    assert isinstance(request, v1.SendMessageRequest)
    if not is_the_same:
        request.client_message_id = str(uuid4())
    async with AsyncInbox(line.address, key) as later:
        answer = await later.messaging.SendMessage(request)

    assert answer.replayed is is_the_same
    assert await said(desk, conversation_id) == messages


async def test_an_id_of_ones_own_is_kept(desk: Desk, line: Line, key: str) -> None:
    conversation_id, own = await desk.open_conversation(), str(uuid4())
    async with AsyncInbox(line.address, key) as inbox:
        first = await inbox.send(conversation_id, "hello", client_message_id=own)
        second = await inbox.send(conversation_id, "hello", client_message_id=own)

    assert first.client_message_id == own
    assert first.id == second.id
    assert await said(desk, conversation_id) == ["hello"]


async def test_a_refusal_says_why_and_is_not_repeated(desk: Desk, line: Line, key: str) -> None:
    conversation_id = await desk.open_conversation()
    await desk.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)
    async with AsyncInbox(line.address, key) as inbox:
        with pytest.raises(InboxError, match="switch to manual") as refused:
            await inbox.send(conversation_id, "hello")

    assert refused.value.reason == "CONVERSATION_IN_AI_MODE"
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.metadata == {"conversation_id": conversation_id}


async def test_a_credential_that_is_none_is_refused(desk: Desk, line: Line) -> None:
    async with AsyncInbox(line.address, "ik_nobody.x") as inbox:
        with pytest.raises(InboxError) as refused:
            await inbox.send(await desk.open_conversation(), "hello")

    assert refused.value.code is grpc.StatusCode.UNAUTHENTICATED


async def test_a_history_comes_in_either_direction(
    desk: Desk, line: Line, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inbox_client.paging.LARGEST_PAGE", 3)
    conversation_id = await desk.open_conversation()
    for number in range(6):
        await desk.sends(conversation_id, str(number))
    async with AsyncInbox(line.address, key) as inbox:
        newest_first = [one.text async for one in inbox.iterate_messages(conversation_id)]
        later = [one.text async for one in inbox.iterate_messages(conversation_id, after_seq=3)]
    with Inbox(line.address, key) as blocking:
        whole = await asyncio.to_thread(
            lambda: [one.text for one in blocking.iterate_messages(conversation_id, after_seq=0)]
        )

    assert newest_first == ["5", "4", "3", "2", "1", "0", "hola"]
    assert whole == newest_first[::-1]
    assert later == ["2", "3", "4", "5"]


async def test_a_stream_of_sends_carries_the_key(desk: Desk, line: Line, key: str) -> None:
    conversation_id = await desk.open_conversation()
    item = v1.SendMessagesItem(
        ref=7,
        request=v1.SendMessageRequest(
            conversation_id=conversation_id, client_message_id=str(uuid4()), text="hello"
        ),
    )
    async with AsyncInbox(line.address, key) as inbox:
        stream = inbox.messaging.SendMessages()
        await stream.write(v1.SendMessagesRequest(items=[item]))
        answer = await stream.read()
        stream.cancel()
    with Inbox(line.address, key) as blocking:
        again = await asyncio.to_thread(
            next, blocking.messaging.SendMessages(iter([v1.SendMessagesRequest(items=[item])]))
        )

    assert isinstance(answer, v1.SendMessagesResponse)
    assert answer.results[0].sent.message.text == "hello"
    assert again.results[0].sent.replayed
