"""Every gRPC service of the suite in this process, on databases and NATS of a test's own.

For tests that have to reach below the services: take a lock out, look into a database, or kill
the one service that they keep apart.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from chassis.ids import WorkspaceId
from chassis.rpc.channel import Channel, Metadata, channel
from chassis.server import run
from services.assistant.__main__ import wire as wire_assistant
from services.assistant.settings import AssistantServiceSettings
from services.conversation.__main__ import wire as wire_conversation
from services.conversation.settings import ConversationSettings
from services.identity.__main__ import wire as wire_identity
from services.identity.settings import Settings as IdentitySettings
from services.media.__main__ import wire as wire_media
from services.media.settings import MediaSettings
from services.messaging.__main__ import wire as wire_messaging
from services.messaging.settings import MessagingSettings
from services.realtime.__main__ import wire as wire_realtime
from services.realtime.settings import RealtimeSettings
from suite.databases import DATABASES, DatabaseUrls
from suite.infra.ports import free_port
from suite.testing import TestServers, fresh_database, fresh_nats_url
from tests.contracts import Rpc
from tests.serving import SERVICE_KEY, bearer
from tests.system.apart import Apart

MASTER_KEY = base64.b64encode(b"m" * 32).decode()
READY_WITHIN_SECONDS = 30.0
SERVED_BY = {
    "IdentityService": "identity",
    "MessagingService": "messaging",
    "ChannelService": "messaging",
    "WebChatService": "messaging",
    "ConversationService": "conversation",
    "TagService": "conversation",
    "ContactService": "conversation",
    "PrivacyService": "conversation",
    "ErasureService": "messaging",
    "MediaService": "media",
    "KnowledgeService": "assistant",
    "AssistantService": "assistant",
    "RealtimeService": "realtime",
    "AssistantAuditService": "assistant",
    "IdentityAuditService": "identity",
    "MessagingAuditService": "messaging",
    "ConversationAuditService": "conversation",
    "MediaAuditService": "media",
    # Several serve these; this one serves both.
    "EventLogService": "conversation",
    "DeadLetterService": "conversation",
}
"""Who serves what."""


@contextmanager
def fresh_databases(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    """A database for each service that has one."""
    with ExitStack() as stack:
        yield {
            database.service: stack.enter_context(fresh_database(servers, database.service))
            for database in DATABASES
        }


@dataclass
class Services:
    """The running services."""

    urls: dict[str, DatabaseUrls]
    addresses: dict[str, str] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    apart: Apart | None = None
    """The service that has a process of its own."""

    def channel_of(self, service_name: str) -> Channel:
        """A channel without a credential to whoever serves a gRPC service."""
        return self.channels[SERVED_BY[service_name]]

    def channel_for(self, rpc: Rpc) -> Channel:
        return self.channel_of(rpc.descriptor.containing_service.name)


def within(workspace_id: str) -> Metadata:
    """A process of the suite, acting in a workspace."""
    return (*bearer(SERVICE_KEY), ("x-inbox-workspace", WorkspaceId(workspace_id)))


@asynccontextmanager
async def running_services(
    urls: dict[str, DatabaseUrls],
    servers: TestServers,
    folder: Path,
    *,
    apart: str = "",
    sabotage: str = "",
) -> AsyncIterator[Services]:
    """Start them all and wait until they are ready; `apart` in a process of its own."""
    nats_url = fresh_nats_url(servers)
    addresses = {name: f"127.0.0.1:{free_port()}" for name in set(SERVED_BY.values())}
    services = Services(urls, addresses)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        stack.callback(stop.set)
        for name, settings, wire in _parts(services, nats_url, folder):
            if name != apart:
                group.create_task(run(name, settings, wire, stop=stop))
                continue
            log = folder / f"{name}.log"
            services.apart = Apart(f"services.{name}", settings, log, sabotage)
            stack.callback(services.apart.kill)
            services.apart.start()
        try:
            for name, address in addresses.items():
                opened = channel([address])
                services.channels[name] = await stack.enter_async_context(opened)
                await ready(opened)
            yield services
        finally:
            stop.set()


def _parts(services: Services, nats_url: str, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    def common(name: str) -> dict[str, Any]:
        return {
            "service_key": SecretStr(SERVICE_KEY),
            "listen": services.addresses[name],
            "database_url": SecretStr(services.urls[name].app),
            "worker_database_url": SecretStr(services.urls[name].worker),
            "database_pool_size": 4,
            "log_level": "error",
        }

    identity = (services.addresses["identity"],)
    nats = SecretStr(nats_url)
    key = SecretStr(MASTER_KEY)
    yield (
        "identity",
        IdentitySettings(**common("identity"), nats_url=nats, master_key=key),
        wire_identity,
    )
    yield (
        "messaging",
        MessagingSettings(
            **common("messaging"),
            nats_url=nats,
            master_key=key,
            identity_address=identity,
            media_address=(services.addresses["media"],),
        ),
        wire_messaging,
    )
    yield (
        "conversation",
        ConversationSettings(
            **common("conversation"),
            nats_url=nats,
            identity_address=identity,
            messaging_address=(services.addresses["messaging"],),
            assistant_address=(services.addresses["assistant"],),
        ),
        wire_conversation,
    )
    yield (
        "media",
        MediaSettings(
            **common("media"), identity_address=identity, blob_url=(folder / "blobs").as_uri()
        ),
        wire_media,
    )
    yield (
        "assistant",
        AssistantServiceSettings(
            **common("assistant"),
            nats_url=nats,
            master_key=key,
            identity_address=identity,
            messaging_address=(services.addresses["messaging"],),
            conversation_address=(services.addresses["conversation"],),
            realtime_address=(services.addresses["realtime"],),
        ),
        wire_assistant,
    )
    yield (
        "realtime",
        RealtimeSettings(
            service_key=SecretStr(SERVICE_KEY),
            listen=services.addresses["realtime"],
            log_level="error",
            nats_url=nats,
            identity_address=identity,
            assistant_address=(services.addresses["assistant"],),
            conversation_address=(services.addresses["conversation"],),
            messaging_address=(services.addresses["messaging"],),
        ),
        wire_realtime,
    )


async def ready(opened: Channel) -> None:
    """Until a service, or one that is started again, says that it serves."""
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        health = health_pb2_grpc.HealthStub(opened)
        while True:
            with suppress(grpc.aio.AioRpcError):
                answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=10)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            await asyncio.sleep(0.05)
