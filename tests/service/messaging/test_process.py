"""The process as it is wired: calls come in, events go out, in one order everywhere."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.auth import Role, VisitorBinding, require_caller
from chassis.clock import SystemClock
from chassis.hints import events_of, subject_of
from chassis.ids import new_id
from chassis.rpc import Channel, Credential
from chassis.rpc.channel import Metadata
from chassis.server import run
from inbox.event import v1 as event_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1
from services.messaging.__main__ import wire
from services.messaging.settings import MessagingSettings
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, fresh_nats_url
from tests.serving import SERVICE_KEY, Tokens, bearer, new_workspace_id, serving

WITHIN_SECONDS = 20


class StandInIdentity:
    """Signs visitors in with the test's keys, and tells everybody the public one."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def __getattr__(self, name: str) -> Any:
        async def absent(request: Any, context: Any) -> Any:
            raise NotImplementedError(name)

        return absent

    async def GetJwks(self, request: Any, context: Any) -> identity_v1.GetJwksResponse:
        keys = {"keys": [self._tokens.key.as_dict(private=False)]}
        return identity_v1.GetJwksResponse(jwks_json=json.dumps(keys))

    async def IssueVisitorToken(
        self, request: identity_v1.IssueVisitorTokenRequest, context: Any
    ) -> identity_v1.IssueVisitorTokenResponse:
        binding = VisitorBinding(request.channel_id, request.external_id, request.conversation_id)
        token = self._tokens.token(
            Role.VISITOR,
            require_caller().workspace,
            visitor=binding,
            display_name=request.display_name,
        )
        access_token = identity_v1.AccessToken(token=token)
        access_token.expire_time.FromDatetime(self._tokens.clock.now() + timedelta(minutes=15))
        return identity_v1.IssueVisitorTokenResponse(access_token=access_token)


class Callers:
    """Channels to the process with any credential."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._open: list[Channel] = []

    def __call__(self, metadata: Metadata) -> Channel:
        opened = Channel(grpc.aio.insecure_channel(self._address), metadata, SystemClock())
        self._open.append(opened)
        return opened

    async def close(self) -> None:
        for opened in self._open:
            await opened.close()


@asynccontextmanager
async def running(urls: DatabaseUrls, nats_url: str, tokens: Tokens) -> AsyncIterator[Callers]:
    adding = identity_v1.add_IdentityServiceServicer_to_server
    async with serving((adding, StandInIdentity(tokens)), tokens=tokens) as identity:
        settings = MessagingSettings(
            service_key=SERVICE_KEY,  # type: ignore[arg-type]
            database_url=urls.app,  # type: ignore[arg-type]
            worker_database_url=urls.worker,  # type: ignore[arg-type]
            nats_url=nats_url,  # type: ignore[arg-type]
            identity_address=(identity.address,),
            media_address=(identity.address,),
            master_key=base64.b64encode(bytes(32)).decode(),  # type: ignore[arg-type]
        )
        stop = asyncio.Event()
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            group.create_task(
                run("messaging", settings, wire, stop=stop, listening=port.set_result)
            )
            callers = Callers(f"127.0.0.1:{await port}")
            yield callers
            await callers.close()
            stop.set()


async def test_a_chat_goes_both_ways_and_the_log_the_stream_and_the_hints_agree(
    servers: TestServers,
) -> None:
    tokens, workspace_id = Tokens(), new_workspace_id()
    nats_url = fresh_nats_url(servers)
    with fresh_database(servers, "messaging") as urls:
        async with running(urls, nats_url, tokens) as callers:
            listener = await nats.connect(nats_url)
            hints: list[int] = []

            async def hear(hint: Any) -> None:
                hints.extend(event.gpos for event in events_of(hint.data))

            await listener.subscribe(subject_of("messaging"), cb=hear)
            await listener.flush()
            owner = callers(tokens.metadata(Role.OWNER, workspace_id))
            maria = callers(tokens.metadata(Role.AGENT, workspace_id, display_name="María"))
            created = await v1.ChannelServiceStub(owner).CreateChannel(
                v1.CreateChannelRequest(
                    request_id=new_id(),
                    kind=v1.CHANNEL_KIND_WEB_CHAT,
                    display_name="Shop",
                    web_chat=v1.WebChatSettings(greeting="Hola"),
                ),
                wait_for_ready=True,
            )
            session = await v1.WebChatServiceStub(callers(())).OpenSession(
                v1.OpenSessionRequest(channel_id=created.channel.id, display_name="Ana")
            )
            box = v1.WebChatServiceStub(callers(bearer(session.access_token)))
            await box.PostMessage(v1.PostMessageRequest(client_message_id=new_id(), text="hola"))
            sent = await v1.MessagingServiceStub(maria).SendMessage(
                v1.SendMessageRequest(
                    conversation_id=session.conversation_id,
                    client_message_id=new_id(),
                    text="hello Ana",
                )
            )
            await box.AcknowledgeMessages(v1.AcknowledgeMessagesRequest(read_up_to_seq=2))
            service = callers(Credential("test", SERVICE_KEY).metadata())
            events = await logged(service, 5)
            stream = listener.jetstream()
            kept = [await in_stream(stream, event.gpos) for event in events]
            await wait_until(lambda: len(hints) == len(events))
            await listener.close()

    assert sent.message.delivery_status == v1.DELIVERY_STATUS_SENT
    assert [event.subject.split(".")[3] for event in events] == [
        "channel_changed",
        "thread_opened",
        "message_created",
        "message_created",
        "delivery_status_changed",
    ]
    assert [event.gpos for event in events] == [1, 2, 3, 4, 5] == sorted(hints)
    assert kept == [event.payload for event in events]
    assert [event.ordering_key for event in events[1:]] == [session.conversation_id] * 4
    last = v1.DeliveryStatusChanged.FromString(events[-1].payload)
    assert last.message.delivery_status == v1.DELIVERY_STATUS_READ


async def test_what_a_customer_wrote_can_be_searched_for_a_moment_later(
    servers: TestServers,
) -> None:
    tokens, workspace_id = Tokens(), new_workspace_id()
    with fresh_database(servers, "messaging") as urls:
        async with running(urls, fresh_nats_url(servers), tokens) as callers:
            owner = callers(tokens.metadata(Role.OWNER, workspace_id))
            created = await v1.ChannelServiceStub(owner).CreateChannel(
                v1.CreateChannelRequest(
                    request_id=new_id(),
                    kind=v1.CHANNEL_KIND_WEB_CHAT,
                    display_name="Shop",
                    web_chat=v1.WebChatSettings(),
                ),
                wait_for_ready=True,
            )
            session = await v1.WebChatServiceStub(callers(())).OpenSession(
                v1.OpenSessionRequest(channel_id=created.channel.id)
            )
            box = v1.WebChatServiceStub(callers(bearer(session.access_token)))
            posted = await box.PostMessage(
                v1.PostMessageRequest(client_message_id=new_id(), text="¿Dónde está mi pedido?")
            )
            messaging = v1.MessagingServiceStub(owner)
            async with asyncio.timeout(WITHIN_SECONDS):
                while not (
                    page := await messaging.SearchMessages(v1.SearchMessagesRequest(query="donde"))
                ).messages:
                    await asyncio.sleep(0.02)

    assert [one.message_id for one in page.messages] == [posted.message.id]


async def logged(service: Channel, count: int) -> Sequence[event_v1.LoggedEvent]:
    """The log, once it has so many events."""
    stub = event_v1.EventLogServiceStub(service)
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            answer = await stub.ReadEvents(event_v1.ReadEventsRequest(from_gpos=1))
            if len(answer.events) >= count:
                return answer.events
            await asyncio.sleep(0.02)


async def in_stream(stream: JetStreamContext, gpos: int) -> bytes | None:
    """What the stream holds at a position, once it does."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            try:
                return (await stream.get_msg("INBOX_MESSAGING", gpos)).data
            except NotFoundError:
                await asyncio.sleep(0.02)


async def wait_until(condition: Any) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
