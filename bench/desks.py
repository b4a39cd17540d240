"""Workspaces with conversations and sockets to measure on, made through the public API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4  # noqa: TID251 - ids of a benchmark

import aiohttp
import grpc

from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from tests.connect_client import ConnectClient

IDENTITY = "inbox.identity.v1.IdentityService"
CHANNELS = "inbox.messaging.v1.ChannelService"
WEB_CHAT = "inbox.messaging.v1.WebChatService"


@dataclass
class BenchDesk:
    """One workspace."""

    key: str
    """An owner's API key."""
    token: str
    conversations: list[str]


def service_key(data: Path) -> str:
    """The suite's service key, from the data folder of a suite this benchmark started."""
    secrets = json.loads((data / "secrets.json").read_text())
    return str(secrets["service_key"])


async def make_desk(
    http: aiohttp.ClientSession, url: str, key: str, identity: str, conversations: int
) -> BenchDesk:
    """A workspace with an owner's key, a chat box and some customers who wrote once."""
    name = str(uuid4())
    async with grpc.aio.insecure_channel(identity) as channel:
        stub = identity_v1.IdentityServiceStub(channel)
        service = (("authorization", f"Bearer {key}"),)
        made = await stub.CreateWorkspace(
            identity_v1.CreateWorkspaceRequest(
                request_id=name,
                display_name="Bench",
                owner_email=f"{name}@bench.example",
                owner_display_name="Bench",
            ),
            metadata=service,
            timeout=20,
        )
        owner = await stub.CreateApiKey(
            identity_v1.CreateApiKeyRequest(
                request_id=str(uuid4()), display_name="bench", role=policy_v1.ROLE_OWNER
            ),
            metadata=(*service, ("x-inbox-workspace", made.workspace.id)),
            timeout=20,
        )
        exchanged = await stub.ExchangeToken(
            identity_v1.ExchangeTokenRequest(api_key=owner.secret), timeout=20
        )
    box = await ConnectClient(http, url, owner.secret).call(
        f"{CHANNELS}/CreateChannel",
        messaging_v1.CreateChannelRequest(
            request_id=str(uuid4()),
            kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
            display_name="Bench",
            web_chat=messaging_v1.WebChatSettings(),
        ),
        messaging_v1.CreateChannelResponse,
    )
    made_conversations = []
    for _ in range(conversations):
        opened = await ConnectClient(http, url).call(
            f"{WEB_CHAT}/OpenSession",
            messaging_v1.OpenSessionRequest(channel_id=box.channel.id),
            messaging_v1.OpenSessionResponse,
        )
        await ConnectClient(http, url, opened.access_token).call(
            f"{WEB_CHAT}/PostMessage",
            messaging_v1.PostMessageRequest(client_message_id=str(uuid4()), text="hello"),
            messaging_v1.PostMessageResponse,
        )
        made_conversations.append(opened.conversation_id)
    return BenchDesk(
        key=owner.secret, token=exchanged.access_token.token, conversations=made_conversations
    )


async def ticket(http: aiohttp.ClientSession, url: str, key: str) -> str:
    """A one-time ticket for a socket."""
    async with http.post(
        f"{url}/auth/ticket", headers={"authorization": f"Bearer {key}"}
    ) as response:
        response.raise_for_status()
        return str((await response.json())["ticket"])
