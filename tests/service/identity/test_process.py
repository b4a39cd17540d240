"""Identity as a process, and another service that lets its callers in by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from pydantic import SecretStr

from chassis.auth import require_caller
from chassis.ids import WorkspaceId, new_id
from chassis.process import Process
from chassis.rpc import channel, in_workspace, remote_fault
from chassis.rpc.channel import Channel, Credential
from chassis.server import run
from chassis.settings import IdentityClientSettings, ServiceSettings
from inbox.event import v1 as event_v1
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1
from services.identity.__main__ import wire
from services.identity.settings import Settings
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_nats_url
from tests.service.identity.conftest import MASTER_KEY
from tests.serving import SERVICE_KEY, bearer

OWNER = Credential("test", SERVICE_KEY)
REVOKED_WITHIN_SECONDS = 5.0


class OtherSettings(ServiceSettings, IdentityClientSettings):
    """A service without NATS: it hears of revocations from identity's log alone."""


class Realtime(realtime_v1.RealtimeServiceServicer):
    """Something that lets callers in."""

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        while True:
            yield realtime_v1.WatchResponse()
            await asyncio.sleep(0.05)

    async def WatchWorkspaces(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield realtime_v1.WatchWorkspacesResponse()

    async def PublishPresence(self, request: Any, context: Any) -> Any:
        require_caller()
        return realtime_v1.PublishPresenceResponse()

    async def PublishAiActivity(self, request: Any, context: Any) -> Any:
        return realtime_v1.PublishAiActivityResponse()


async def wire_other(process: Process, settings: OtherSettings) -> None:
    process.serve(realtime_v1.add_RealtimeServiceServicer_to_server, Realtime())


@asynccontextmanager
async def started(name: str, settings: Any, how: Any) -> AsyncIterator[tuple[str, asyncio.Event]]:
    stop, listening, ports = asyncio.Event(), asyncio.Event(), []

    def note(port: int) -> None:
        ports.append(port)
        listening.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(run(name, settings, how, stop=stop, listening=note))
        await listening.wait()
        yield f"127.0.0.1:{ports[0]}", stop
        stop.set()


@pytest.fixture
def identity_settings(urls: DatabaseUrls, servers: TestServers) -> Settings:
    return Settings(
        service_key=SecretStr(SERVICE_KEY),
        database_url=SecretStr(urls.app),
        worker_database_url=SecretStr(urls.worker),
        nats_url=SecretStr(fresh_nats_url(servers)),
        master_key=SecretStr(MASTER_KEY),
        database_pool_size=3,
    )


class Suite:
    """Identity and another service, both running."""

    def __init__(self, identity: Channel, other: Channel, stop_identity: asyncio.Event) -> None:
        self.identity = v1.IdentityServiceStub(identity)
        self.log = event_v1.EventLogServiceStub(identity)
        self.other = realtime_v1.RealtimeServiceStub(other)
        self.stop_identity = stop_identity
        self.workspace_id = WorkspaceId("")
        self.owner_id = ""

    async def open_workspace(self) -> None:
        created = await self.identity.CreateWorkspace(
            v1.CreateWorkspaceRequest(
                request_id=new_id(),
                display_name="Bakery",
                owner_email=f"{new_id()}@example.com",
                owner_display_name="Olga",
            )
        )
        self.workspace_id = WorkspaceId(created.workspace.id)
        self.owner_id = created.owner.id

    async def a_key(self) -> v1.CreateApiKeyResponse:
        return await self.identity.CreateApiKey(
            v1.CreateApiKeyRequest(
                request_id=new_id(), display_name="CRM", role=policy_v1.ROLE_OWNER
            ),
            metadata=in_workspace(self.workspace_id),
        )

    async def knock(self, credential: str) -> str:
        """What the other service says to a credential: "" is welcome."""
        try:
            await self.other.PublishPresence(
                realtime_v1.PublishPresenceRequest(), metadata=bearer(credential)
            )
        except grpc.aio.AioRpcError as error:
            return remote_fault(error).reason
        return ""

    async def refused_within(self, credential: str, seconds: float) -> float:
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not await self.knock(credential):
                await asyncio.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
async def suite(identity_settings: Settings) -> AsyncIterator[Suite]:
    async with started("identity", identity_settings, wire) as (address, stop):
        settings = OtherSettings(service_key=SecretStr(SERVICE_KEY), identity_address=(address,))
        async with (
            started("realtime", settings, wire_other) as (other_address, _),
            channel([address], credential=OWNER) as identity,
            channel([other_address], credential=OWNER) as other,
        ):
            running = Suite(identity, other, stop)
            await running.open_workspace()
            yield running


async def test_a_key_made_at_identity_opens_another_service_until_it_is_revoked(
    suite: Suite,
) -> None:
    created = await suite.a_key()
    exchanged = await suite.identity.ExchangeToken(v1.ExchangeTokenRequest(api_key=created.secret))
    token = exchanged.access_token.token
    welcomes = [await suite.knock(credential) for credential in (created.secret, token)]

    await suite.identity.RevokeApiKey(
        v1.RevokeApiKeyRequest(api_key_id=created.api_key.id),
        metadata=in_workspace(suite.workspace_id),
    )

    assert welcomes == ["", ""]
    await suite.refused_within(token, REVOKED_WITHIN_SECONDS)
    await suite.refused_within(created.secret, 1)


async def test_signing_out_ends_an_open_stream_elsewhere(suite: Suite) -> None:
    link = await suite.identity.CreateSignInLink(
        v1.CreateSignInLinkRequest(member_id=suite.owner_id),
        metadata=in_workspace(suite.workspace_id),
    )
    signed_in = await suite.identity.SignIn(v1.SignInRequest(link_token=link.link_token))
    metadata = bearer(signed_in.access_token.token)
    watch = suite.other.Watch(realtime_v1.WatchRequest(), metadata=metadata)
    await watch.read()

    await suite.identity.SignOut(v1.SignOutRequest(), metadata=metadata)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with asyncio.timeout(REVOKED_WITHIN_SECONDS):
            while True:
                await watch.read()
    assert remote_fault(caught.value).reason == "CREDENTIAL_INVALID"


async def test_who_is_known_stays_welcome_while_identity_is_away(suite: Suite) -> None:
    known, unknown = await suite.a_key(), await suite.a_key()
    assert await suite.knock(known.secret) == ""

    suite.stop_identity.set()
    await asyncio.sleep(1)

    assert await suite.knock(known.secret) == ""
    assert await suite.knock(unknown.secret) == "TEMPORARILY_UNAVAILABLE"


async def test_every_change_is_one_event_and_a_snapshot_holds_what_is(suite: Suite) -> None:
    created = await suite.a_key()
    revoke = v1.RevokeApiKeyRequest(api_key_id=created.api_key.id)
    for _ in range(2):
        await suite.identity.RevokeApiKey(
            revoke,
            metadata=in_workspace(suite.workspace_id),
        )

    async with asyncio.timeout(5):
        while True:
            page = await suite.log.ReadEvents(event_v1.ReadEventsRequest(from_gpos=1))
            ours = [one for one in page.events if one.workspace_id == suite.workspace_id]
            if len(ours) >= 4:
                break
            await asyncio.sleep(0.05)
    entities: list[event_v1.SnapshotEntity] = []
    token = ""
    while True:
        snapshot = await suite.log.ReadSnapshot(
            event_v1.ReadSnapshotRequest(
                workspace_id=suite.workspace_id, page_size=1, page_token=token
            )
        )
        entities += snapshot.entities
        token = snapshot.next_page_token
        if not token:
            break

    names = [one.subject.split(".")[3] for one in ours]
    assert names == ["workspace_changed", "member_changed", "api_key_changed", "api_key_changed"]
    assert [one.subject.split(".")[3] for one in entities] == names[:3]
    assert entities[2].payload == ours[3].payload


async def test_no_customers_key_reads_the_log_of_all_workspaces(suite: Suite) -> None:
    created = await suite.identity.CreateApiKey(
        v1.CreateApiKeyRequest(request_id=new_id(), display_name="x", role=policy_v1.ROLE_SERVICE),
        metadata=in_workspace(suite.workspace_id),
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await suite.log.ReadEvents(
            event_v1.ReadEventsRequest(from_gpos=1), metadata=bearer(created.secret)
        )

    assert remote_fault(caught.value).reason == "ROLE_NOT_ALLOWED"
