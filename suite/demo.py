"""The demo workspace: made once through the services' own RPCs, found again at every start.

Every request id is derived from a secret of the data folder, so a repeat finds what it made.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.clock import SystemClock
from chassis.ids import derived_id, new_id
from inbox.assistant import v1 as assistant_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from suite.datafolder import DataFolder
from suite.infra.ports import LOOPBACK
from suite.infra.program import SuiteError
from suite.settings import ROOT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from suite.plan import Plan
    from suite.processes import Surroundings

ANSWER_SECONDS = 10.0
OWNER_EMAIL = "owner@example.com"
ACCOUNT = "demo"
CUSTOMER = "maria"
KNOWLEDGE = ROOT / "suite" / "knowledge"
"""One article a file: the first line is the title."""
AI_ANSWERS = (
    "The AI answers whoever writes, from a shop's articles: ask when it opens, then for a person."
)
KEY_LIFETIME = timedelta(days=30)
ROLES = {
    "owner": policy_v1.ROLE_OWNER,
    "agent": policy_v1.ROLE_AGENT,
    "read-only": policy_v1.ROLE_READ_ONLY,
    "bot": policy_v1.ROLE_BOT,
    "service": policy_v1.ROLE_SERVICE,
}


@dataclass(frozen=True)
class Credential:
    """The suite's own credential, and the workspace it acts in."""

    service_key: str
    workspace_id: str = ""

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a call carries."""
        pairs = [("authorization", f"Bearer {self.service_key}")]
        if self.workspace_id:
            pairs.append(("x-inbox-workspace", self.workspace_id))
        return tuple(pairs)


@dataclass(frozen=True)
class Links:
    """What the last line of the start shows."""

    sign_in: str
    chat: str = ""
    phone: str = ""
    is_answered_by_ai: bool = False

    def __str__(self) -> str:
        parts = [self.sign_in]
        if self.chat:
            parts.append(f"customers' chat page: {self.chat}")
        if self.phone:
            parts.append(f"simulated phone: {self.phone}")
        return "  ".join(parts)


async def seed(plan: Plan, folder: DataFolder, around: Surroundings) -> Links:
    """Make what is missing of the demo workspace, and a fresh one-time sign-in link."""
    try:
        async with grpc.aio.insecure_channel(around.addresses["identity"].split(",")[0]) as channel:
            identity = identity_v1.IdentityServiceStub(channel)
            made = await _workspace(identity, folder, around.service_key)
            credential = Credential(around.service_key, made.workspace.id)
            link = await identity.CreateSignInLink(
                identity_v1.CreateSignInLinkRequest(member_id=made.owner.id),
                metadata=credential.metadata(),
                timeout=ANSWER_SECONDS,
            )
        sign_in = f"{plan.public_url}/sign-in?link={link.link_token}"
        if "messaging" not in around.addresses:
            return Links(sign_in)
        async with grpc.aio.insecure_channel(
            around.addresses["messaging"].split(",")[0]
        ) as channel:
            channels = messaging_v1.ChannelServiceStub(channel)
            chat = await _web_chat(channels, folder, credential)
            phone = ""
            if "simulator" in around.addresses:
                await _simulator(channels, plan, folder, around, credential)
                phone = f"{plan.public_url}/simulator/phone/{ACCOUNT}/{CUSTOMER}"
            is_answered_by_ai = "assistant" in around.addresses and await let_ai_answer(
                messaging_v1.MessagingServiceStub(channel), credential
            )
        if "assistant" in around.addresses:
            async with grpc.aio.insecure_channel(
                around.addresses["assistant"].split(",")[0]
            ) as channel:
                await write_articles(assistant_v1.KnowledgeServiceStub(channel), folder, credential)
    except grpc.aio.AioRpcError as error:
        raise SuiteError(
            f"the demo workspace could not be made: {error.code().name}, {error.details()}.\n"
            "Start with --no-demo to go without it."
        ) from error
    return Links(sign_in, f"{plan.public_url}/chat/{chat.id}", phone, is_answered_by_ai)


def run(options: argparse.Namespace) -> int:
    """`./dev key`: print an API key of the demo workspace."""
    folder = DataFolder(options.data)
    folder.require()
    port = ((folder.read_run() or {}).get("processes", {}).get("identity") or {}).get("port")
    if not folder.is_running or port is None:
        raise SuiteError(f"nothing runs on {folder.path}; a key needs a running `./dev up`")
    print(asyncio.run(_new_key(folder, f"{LOOPBACK}:{port}", options.role)))
    return 0


async def _new_key(folder: DataFolder, address: str, role: str) -> str:
    service_key = folder.secret("service_key")
    expire_time = Timestamp()
    expire_time.FromDatetime(SystemClock().now() + KEY_LIFETIME)
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            identity = identity_v1.IdentityServiceStub(channel)
            made = await _workspace(identity, folder, service_key)
            key = await identity.CreateApiKey(
                identity_v1.CreateApiKeyRequest(
                    request_id=new_id(),
                    display_name=f"./dev key --role {role}",
                    role=ROLES[role],
                    expire_time=expire_time,
                ),
                metadata=Credential(service_key, made.workspace.id).metadata(),
                timeout=ANSWER_SECONDS,
            )
    except grpc.aio.AioRpcError as error:
        raise SuiteError(f"no key: {error.code().name}, {error.details()}") from error
    return key.secret


async def _workspace(
    identity: identity_v1.IdentityServiceStub, folder: DataFolder, service_key: str
) -> identity_v1.CreateWorkspaceResponse:
    response: identity_v1.CreateWorkspaceResponse = await identity.CreateWorkspace(
        identity_v1.CreateWorkspaceRequest(
            request_id=_request_id(folder, "workspace"),
            display_name="Demo workspace",
            owner_email=OWNER_EMAIL,
            owner_display_name="Ana",
        ),
        metadata=Credential(service_key).metadata(),
        timeout=ANSWER_SECONDS,
    )
    return response


async def _web_chat(
    channels: messaging_v1.ChannelServiceStub, folder: DataFolder, credential: Credential
) -> messaging_v1.Channel:
    response = await channels.CreateChannel(
        messaging_v1.CreateChannelRequest(
            request_id=_request_id(folder, "web-chat"),
            kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
            display_name="Web chat",
            web_chat=messaging_v1.WebChatSettings(greeting="Hello! How can we help?"),
        ),
        metadata=credential.metadata(),
        timeout=ANSWER_SECONDS,
    )
    return response.channel


async def _simulator(
    channels: messaging_v1.ChannelServiceStub,
    plan: Plan,
    folder: DataFolder,
    around: Surroundings,
    credential: Credential,
) -> None:
    """A channel at the platform double, and the account behind it that calls our webhook."""
    base_url = f"http://{around.addresses['simulator']}"
    settings = messaging_v1.SimulatorSettings(base_url=base_url, account_id=ACCOUNT)
    token, webhook_secret = folder.secret("simulator_token"), folder.secret("simulator_webhook")
    created = await channels.CreateChannel(
        messaging_v1.CreateChannelRequest(
            request_id=_request_id(folder, "simulator"),
            kind=messaging_v1.CHANNEL_KIND_SIMULATOR,
            display_name="Simulator",
            simulator=settings,
            credentials=messaging_v1.ChannelCredentials(
                access_token=token, webhook_secret=webhook_secret
            ),
        ),
        metadata=credential.metadata(),
        timeout=ANSWER_SECONDS,
    )
    channel = created.channel
    if channel.simulator.base_url != base_url:  # its port was taken, it has moved
        await channels.UpdateChannel(
            messaging_v1.UpdateChannelRequest(channel_id=channel.id, simulator=settings),
            metadata=credential.metadata(),
            timeout=ANSWER_SECONDS,
        )
    account = {
        "display_name": "Demo account",
        "token": token,
        "webhook_url": f"{_webhook_origin(plan)}{channel.webhook_path}",
        "webhook_secret": webhook_secret,
    }
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as client,
        client.put(
            f"{base_url}/control/accounts/{ACCOUNT}",
            headers={"X-Control-Key": around.simulator_key},
            json=account,
        ) as answer,
    ):
        if not answer.ok:
            raise SuiteError(f"the simulator refused its account: {await answer.text()}")


def _webhook_origin(plan: Plan) -> str:
    """The front door; past it where it shows a certificate the simulator has no reason to trust."""
    if plan.certificate is None:
        return f"http://{LOOPBACK}:{plan.port}"
    return f"http://{plan.replicas_of('gateway')[0].address}"


async def let_ai_answer(
    messaging: messaging_v1.MessagingServiceStub, credential: Credential
) -> bool:
    """The AI answers whoever writes, unless somebody has chosen otherwise; whether it does."""
    stored = await messaging.GetMessagingSettings(
        messaging_v1.GetMessagingSettingsRequest(),
        metadata=credential.metadata(),
        timeout=ANSWER_SECONDS,
    )
    settings = stored.settings
    if settings.version == 0:
        changed = await messaging.UpdateMessagingSettings(
            messaging_v1.UpdateMessagingSettingsRequest(
                default_mode=messaging_v1.CONVERSATION_MODE_AI
            ),
            metadata=credential.metadata(),
            timeout=ANSWER_SECONDS,
        )
        settings = changed.settings
    return settings.default_mode == messaging_v1.CONVERSATION_MODE_AI


def articles() -> Iterator[tuple[str, str, str]]:
    """Name, title and body of each article of the demo."""
    for file in sorted(KNOWLEDGE.glob("*.md")):
        title, _, body = file.read_text().partition("\n")
        yield file.stem, title.removeprefix("# "), body.strip()


async def write_articles(
    knowledge: assistant_v1.KnowledgeServiceStub, folder: DataFolder, credential: Credential
) -> None:
    """What the AI of the demo knows. Whoever deleted or changed an article keeps it that way."""
    for name, title, body in articles():
        request = assistant_v1.CreateArticleRequest(
            request_id=_request_id(folder, f"article {name}"), title=title, body=body
        )
        try:
            await knowledge.CreateArticle(
                request, metadata=credential.metadata(), timeout=ANSWER_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS}:
                raise


def _request_id(folder: DataFolder, what: str) -> str:
    return derived_id(folder.secret("demo"), what)
