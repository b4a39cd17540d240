"""Customers' chat boxes through a real gateway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from google.protobuf import json_format

from chassis import auth_tokens
from chassis.auth import Caller, Role, VisitorBinding
from chassis.ids import WorkspaceId
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.service.gateway.doubles import CHANNEL, WORKSPACE
from tests.service.gateway.live_client import JSON, PROTO, Closed
from tests.service.gateway.log_double import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.process import Gateway
    from tests.service.gateway.suite_double import Services

OTHER_CONVERSATION = "0192f0c1-7c00-7000-8000-00000000c001"


class Box:
    """One chat box."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, subprotocol: str) -> None:
        self.socket = socket
        self.subprotocol = subprotocol

    async def send(self, ref: int = 0, **body: Any) -> None:
        frame = realtime_v1.VisitorClientFrame(ref=ref, **body)
        if self.subprotocol == PROTO:
            await self.socket.send_bytes(frame.SerializeToString())
        else:
            await self.socket.send_str(json_format.MessageToJson(frame))

    async def frame(self) -> realtime_v1.VisitorServerFrame:
        async with asyncio.timeout(10):
            message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return realtime_v1.VisitorServerFrame.FromString(message.data)
        if message.type is aiohttp.WSMsgType.TEXT:
            return json_format.Parse(message.data, realtime_v1.VisitorServerFrame())
        raise Closed(self.socket.close_code, str(message.extra))

    async def until(self, kind: str) -> realtime_v1.VisitorServerFrame:
        while True:
            frame = await self.frame()
            if frame.WhichOneof("body") == kind:
                return frame

    async def close_code(self) -> int | None:
        try:
            while True:
                await self.frame()
        except Closed as closed:
            return closed.code


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def token(
    services: Services, conversation_id: str = CONVERSATION_ID, *, within: float = 900
) -> str:
    caller = Caller(
        id="visitor-1",
        role=Role.VISITOR,
        workspace_id=WorkspaceId(WORKSPACE),
        visitor=VisitorBinding(CHANNEL, "external", conversation_id),
    )
    signed = auth_tokens.sign(
        services.identity.signing_key,
        caller,
        at=datetime.now(UTC),
        within=timedelta(seconds=within),
    )
    return signed.token


async def open_box(
    http: aiohttp.ClientSession,
    gateway: Gateway,
    services: Services,
    *,
    subprotocol: str = PROTO,
    access_token: str = "",
) -> Box:
    socket = await http.ws_connect(
        f"http://127.0.0.1:{gateway.port}/ws/chat", protocols=(subprotocol,)
    )
    box = Box(socket, subprotocol)
    hello = realtime_v1.VisitorClientHello(access_token=access_token or token(services))
    await box.send(hello=hello)
    return box


def says(kind: messaging_v1.AuthorKind.ValueType, name: str) -> messaging_v1.Author:
    return messaging_v1.Author(kind=kind, id="member-7", display_name=name)


@pytest.mark.parametrize("subprotocol", [PROTO, JSON])
async def test_a_box_hears_its_conversation_and_nothing_else(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services, subprotocol: str
) -> None:
    services.log.message("before")
    box = await open_box(http, gateway, services, subprotocol=subprotocol)
    assert (await box.frame()).hello.last_seq == 1

    author = says(messaging_v1.AUTHOR_KIND_MEMBER, "Ana")
    sent = messaging_v1.DELIVERY_STATUS_SENT
    services.log.message("secret", conversation_id=OTHER_CONVERSATION, author=author)
    services.log.message(
        "not yet", author=author, delivery_status=messaging_v1.DELIVERY_STATUS_QUEUED
    )
    services.log.message("", direction=messaging_v1.MESSAGE_DIRECTION_INTERNAL)
    services.log.message("hola", author=author, delivery_status=sent)

    message = (await box.frame()).message
    assert (message.text, message.author_display_name) == ("hola", "Ana")
    assert message.author_kind == messaging_v1.VISITOR_AUTHOR_KIND_AGENT
    assert b"member-7" not in message.SerializeToString()


async def test_a_box_posts_acknowledges_and_types(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    for number in range(5):
        request = messaging_v1.PostMessageRequest(client_message_id=f"v{number}", text=f"{number}")
        await box.send(number + 1, post_message=request)
    acks = [(await box.until("ack")).ack for _ in range(5)]
    assert [ack.message.text for ack in acks] == ["0", "1", "2", "3", "4"]
    assert [ack.ref for ack in acks] == [1, 2, 3, 4, 5]

    acknowledge = messaging_v1.AcknowledgeMessagesRequest(delivered_up_to_seq=5, read_up_to_seq=4)
    await box.send(9, acknowledge_messages=acknowledge)
    assert not (await box.until("ack")).ack.HasField("error")
    assert services.web_chat.acknowledged == [acknowledge]

    await box.send(10, typing=realtime_v1.VisitorTypingUpdate())
    await box.until("ack")
    await asyncio.sleep(0.2)
    (told,) = [told for told in services.realtime.presence if told.is_customer]
    assert told.conversation_id == CONVERSATION_ID


async def test_a_refused_post_says_why(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    await box.send(1, post_message=messaging_v1.PostMessageRequest(client_message_id="v"))

    assert (await box.until("ack")).ack.error.code == 3


async def test_the_box_learns_that_somebody_types_but_not_who(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    def presence(**more: Any) -> realtime_v1.Presence:
        return realtime_v1.Presence(member_id="m7", display_name="Ana", **more)

    services.realtime.publish(presence(conversation_id=OTHER_CONVERSATION, is_typing=True))
    services.realtime.publish(presence(conversation_id=CONVERSATION_ID, is_typing=True))
    begun = (await box.until("typing")).typing
    services.realtime.publish(presence(conversation_id=CONVERSATION_ID))
    over = (await box.until("typing")).typing

    assert (begun.is_over, over.is_over) == (False, True)


async def test_the_box_learns_that_the_ai_writes_as_if_somebody_typed(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    def writing(conversation_id: str, *, is_writing: bool) -> realtime_v1.ServerFrame:
        writing = realtime_v1.AiWriting(conversation_id=conversation_id, is_writing=is_writing)
        return realtime_v1.ServerFrame(ai_writing=writing)

    services.realtime.tell(writing(OTHER_CONVERSATION, is_writing=True))
    services.realtime.tell(writing(CONVERSATION_ID, is_writing=True))
    services.realtime.tell(writing(CONVERSATION_ID, is_writing=True))
    services.realtime.tell(writing(CONVERSATION_ID, is_writing=False))
    told = [(await box.until("typing")).typing.is_over for _ in range(3)]

    assert told == [False, False, True]


@pytest.mark.parametrize("bad", ["eyJ.not.good", "nonsense"])
async def test_a_token_that_is_not_ours_is_refused(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services, bad: str
) -> None:
    box = await open_box(http, gateway, services, access_token=bad)

    assert await box.close_code() == 4401


async def test_an_agents_token_opens_no_box(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    caller = Caller(id="m1", role=Role.AGENT, workspace_id=WorkspaceId(WORKSPACE))
    key = services.identity.signing_key
    signed = auth_tokens.sign(key, caller, at=datetime.now(UTC))

    box = await open_box(http, gateway, services, access_token=signed.token)

    assert await box.close_code() == 4403


async def test_the_end_of_the_token_ends_the_box_unless_renewed(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services, access_token=token(services, within=2))
    renewed = await open_box(http, gateway, services, access_token=token(services, within=2))
    await box.until("hello")
    await renewed.until("hello")

    fresh = realtime_v1.VisitorClientHello(access_token=token(services))
    await renewed.send(7, hello=fresh)

    assert not (await renewed.until("ack")).ack.HasField("error")
    assert await box.close_code() == 4401
    services.log.message("still here")
    assert (await renewed.until("message")).message.text == "still here"


async def test_another_conversations_token_does_not_renew(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    stolen = realtime_v1.VisitorClientHello(access_token=token(services, OTHER_CONVERSATION))
    await box.send(hello=stolen)

    assert await box.close_code() == 4403


async def test_when_something_was_missed_the_box_comes_back_and_lists(
    http: aiohttp.ClientSession, gateway: Gateway, services: Services
) -> None:
    box = await open_box(http, gateway, services)
    await box.until("hello")

    services.log.epoch = "e2"
    services.realtime.cut()

    assert await box.close_code() == 1012
    services.log.message("meanwhile")
    again = await open_box(http, gateway, services)
    assert (await again.until("hello")).hello.last_seq == 1
