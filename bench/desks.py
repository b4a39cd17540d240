"""Workspaces with conversations to measure on, made through the public API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc

from chassis.ids import new_id
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from tests.connect_client import ConnectClient

if TYPE_CHECKING:
    from bench.subject import Subject

CHANNELS = "inbox.messaging.v1.ChannelService"
WEB_CHAT = "inbox.messaging.v1.WebChatService"
CALL_SECONDS = 20.0
AT_ONCE = 4


@dataclass(frozen=True)
class Desk:
    """One workspace."""

    key: str
    """An owner's API key."""
    conversations: tuple[str, ...]


async def make_desks(subject: Subject, count: int, *, conversations: int) -> list[Desk]:
    """Some workspaces, each with an owner's key, a chat box and customers who wrote once."""
    turn = asyncio.Semaphore(AT_ONCE)
    async with (
        aiohttp.ClientSession() as http,
        grpc.aio.insecure_channel(subject.address_of("identity")) as identity,
        asyncio.TaskGroup() as group,
    ):
        stub = identity_v1.IdentityServiceStub(identity)

        async def one() -> Desk:
            async with turn:
                key = await _workspace(stub, subject.service_key)
                opened = await _conversations(http, subject.url, key, conversations)
                return Desk(key=key, conversations=tuple(opened))

        tasks = [group.create_task(one()) for _ in range(count)]
        async with asyncio.timeout(CALL_SECONDS * (1 + count)):
            await asyncio.wait(tasks)
    return [task.result() for task in tasks]


async def token_of(subject: Subject, desk: Desk) -> str:
    """A fresh access token for the desk's key; it lasts for minutes."""
    async with grpc.aio.insecure_channel(subject.address_of("identity")) as identity:
        exchanged = await identity_v1.IdentityServiceStub(identity).ExchangeToken(
            identity_v1.ExchangeTokenRequest(api_key=desk.key), timeout=CALL_SECONDS
        )
    return str(exchanged.access_token.token)


async def _workspace(stub: Any, service_key: str) -> str:
    """An owner's key."""
    name = new_id()
    service = (("authorization", f"Bearer {service_key}"),)
    made = await stub.CreateWorkspace(
        identity_v1.CreateWorkspaceRequest(
            request_id=name,
            display_name="Bench",
            owner_email=f"{name}@bench.example",
            owner_display_name="Bench",
        ),
        metadata=service,
        timeout=CALL_SECONDS,
    )
    owner = await stub.CreateApiKey(
        identity_v1.CreateApiKeyRequest(
            request_id=new_id(), display_name="bench", role=policy_v1.ROLE_OWNER
        ),
        metadata=(*service, ("x-inbox-workspace", made.workspace.id)),
        timeout=CALL_SECONDS,
    )
    return str(owner.secret)


async def _conversations(http: aiohttp.ClientSession, url: str, key: str, count: int) -> list[str]:
    box = await ConnectClient(http, url, key).call(
        f"{CHANNELS}/CreateChannel",
        messaging_v1.CreateChannelRequest(
            request_id=new_id(),
            kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
            display_name="Bench",
            web_chat=messaging_v1.WebChatSettings(),
        ),
        messaging_v1.CreateChannelResponse,
    )
    opened = []
    for _ in range(count):
        session = await ConnectClient(http, url).call(
            f"{WEB_CHAT}/OpenSession",
            messaging_v1.OpenSessionRequest(channel_id=box.channel.id),
            messaging_v1.OpenSessionResponse,
        )
        await ConnectClient(http, url, session.access_token).call(
            f"{WEB_CHAT}/PostMessage",
            messaging_v1.PostMessageRequest(client_message_id=new_id(), text="hello"),
            messaging_v1.PostMessageResponse,
        )
        opened.append(session.conversation_id)
    return opened
