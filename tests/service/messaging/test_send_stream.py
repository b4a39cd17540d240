"""SendMessages: many items, each with its own result."""

from __future__ import annotations

import grpc

from chassis.auth import Role
from chassis.ids import WorkspaceId, new_id
from inbox.error import v1 as error_v1
from inbox.messaging import v1
from tests.service.messaging.desk import Desk
from tests.service.messaging.refusals import refused


def item(ref: int, conversation_id: str, text: str = "hello", **fields: str) -> v1.SendMessagesItem:
    return v1.SendMessagesItem(
        ref=ref,
        request=v1.SendMessageRequest(
            conversation_id=conversation_id, client_message_id=new_id(), text=text
        ),
        **fields,
    )


async def send_all(
    stub: v1.MessagingServiceStub, *batches: list[v1.SendMessagesItem]
) -> dict[int, v1.SendMessagesResult]:
    call = stub.SendMessages()
    for batch in batches:
        await call.write(v1.SendMessagesRequest(items=batch))
    await call.done_writing()
    return {result.ref: result async for response in call for result in response.results}


async def test_every_item_gets_its_own_result(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    unknown = new_id()

    results = await send_all(
        desk.maria,
        [item(1, conversation_id), item(2, unknown), item(3, conversation_id, text=" ")],
        [item(4, "not-a-uuid"), item(5, conversation_id)],
    )

    assert results[1].sent.message.seq == 2
    assert results[5].sent.message.seq == 3
    assert results[2].error.reason == error_v1.REASON_CONVERSATION_NOT_FOUND
    assert results[2].error.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert results[3].error.reason == error_v1.REASON_TEXT_EMPTY
    assert results[4].error.reason == error_v1.REASON_INVALID_ARGUMENT
    assert results[4].error.metadata["field"] == "conversation_id"


async def test_a_thousand_items_keep_their_order_in_each_conversation(desk: Desk) -> None:
    conversations = [await desk.open_conversation() for _ in range(4)]
    items = [item(number, conversations[number % 4], f"{number}") for number in range(1000)]

    results = await send_all(desk.maria, *(items[at : at + 125] for at in range(0, 1000, 125)))

    assert len(results) == 1000
    for place in range(4):
        mine = [results[number].sent.message.seq for number in range(place, 1000, 4)]
        assert mine == list(range(2, 252))


async def test_a_repeat_in_the_same_stream_is_a_replay(desk: Desk) -> None:
    first = item(1, await desk.open_conversation())
    again = v1.SendMessagesItem()
    again.CopyFrom(first)
    again.ref = 2

    results = await send_all(desk.maria, [first, again])

    assert not results[1].sent.replayed
    assert results[2].sent.replayed
    assert results[1].sent.message == results[2].sent.message


async def test_a_forwarder_sends_in_the_name_of_those_whose_token_it_shows(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    tokens = desk.server.tokens
    luis = tokens.token(Role.AGENT, desk.workspace_id, id="luis", display_name="Luis")
    reader = tokens.token(Role.READ_ONLY, desk.workspace_id)
    stranger = tokens.token(Role.AGENT, WorkspaceId(new_id()))
    forwarder = v1.MessagingServiceStub(desk.server.service_channel())

    results = await send_all(
        forwarder,
        [
            item(1, conversation_id, access_token=luis),
            item(2, conversation_id, access_token=reader),
            item(3, conversation_id, access_token=stranger),
            item(4, conversation_id, access_token="forged"),
            item(5, conversation_id),
        ],
    )

    assert results[1].sent.message.author.display_name == "Luis"
    assert results[2].error.reason == error_v1.REASON_ROLE_NOT_ALLOWED
    assert results[3].error.reason == error_v1.REASON_CONVERSATION_NOT_FOUND
    assert results[4].error.reason == error_v1.REASON_CREDENTIAL_INVALID
    assert results[5].error.reason == error_v1.REASON_ROLE_NOT_ALLOWED


async def test_results_come_while_the_stream_is_open(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    call = desk.maria.SendMessages()

    for number in range(3):
        await call.write(v1.SendMessagesRequest(items=[item(number, conversation_id)]))
        response = await call.read()
        assert isinstance(response, v1.SendMessagesResponse)
        assert response.results[0].sent.message.seq == number + 2
    await call.done_writing()

    assert await call.read() is grpc.aio.EOF


async def test_a_message_with_too_many_items_ends_the_stream(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with refused("INVALID_ARGUMENT", grpc.StatusCode.INVALID_ARGUMENT):
        await send_all(desk.maria, [item(number, conversation_id) for number in range(257)])
