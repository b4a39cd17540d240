"""A whole conversation with the AI, through every real service: asked, answered, handed over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.auth import Role
from chassis.ids import new_id
from inbox.assistant import v1 as assistant_v1
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from suite import demo
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers, test_servers
from tests.serving import SERVICE_KEY
from tests.system.services import Services, fresh_databases, running_services
from tests.system.shop import WITHIN_SECONDS, Customer, a_shop
from tests.system.tenants import Stubs, Tenant

HEARD = "SELECT is_silenced, inbound_count FROM duties WHERE conversation_id = $1"


@pytest.fixture(scope="module")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with fresh_databases(servers) as urls:
        yield urls


@pytest.fixture
async def services(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> AsyncIterator[Services]:
    async with running_services(urls, servers, tmp_path) as running:
        yield running


@pytest.fixture
async def shop(services: Services, tmp_path: Path) -> Tenant:
    return await a_shop(services, tmp_path)


class Watcher:
    """A member who watches the workspace."""

    def __init__(self, services: Services, tenant: Tenant) -> None:
        self._realtime = realtime_v1.RealtimeServiceStub(services.channel_of("RealtimeService"))
        self._metadata = tenant.callers[Role.OWNER]
        self.frames: list[realtime_v1.ServerFrame] = []

    async def watch(self) -> None:
        request = realtime_v1.WatchRequest()
        async for answer in self._realtime.Watch(request, metadata=self._metadata):
            self.frames += answer.frames

    def bodies(self, kind: str) -> list[Any]:
        return [getattr(one, kind) for one in self.frames if one.WhichOneof("body") == kind]

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while not holds():
                await asyncio.sleep(0.02)


async def test_the_ai_answers_until_the_customer_wants_a_person_and_gets_one(
    services: Services, shop: Tenant
) -> None:
    stubs, watcher = Stubs(services), Watcher(services, shop)
    ana, owner = Customer(stubs), shop.callers[Role.OWNER]
    await ana.arrive(shop.channel_id)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watcher.watch())
        await watcher.until(lambda: watcher.frames)
        await ana.writes("Hi!")
        await ana.writes("What are your opening hours?")
        [answer] = await ana.is_answered(1)
        await ana.writes("I want to talk to a person")
        _, farewell = await ana.is_answered(2)
        await watcher.until(lambda: len(watcher.bodies("turn_ended")) == 2)
        await watcher.until(lambda: watcher.bodies("mode_changed"))
        await ana.writes("Are you there?")
        await stubs.messaging.SendMessage(
            messaging_v1.SendMessageRequest(
                conversation_id=ana.conversation_id,
                client_message_id=new_id(),
                text="I am, and I am a person.",
            ),
            metadata=owner,
        )
        seen = await ana.is_answered(3)
        watching.cancel()

    assert answer.startswith("We are open Monday to Friday from 9:00 to 19:00")
    assert answer.endswith("Source: Opening hours and address")
    assert farewell == "I am passing you on to a colleague, who will answer you here."
    assert seen[-1] == "I am, and I am a person."
    assert await ana.sees() == seen
    signs = [(one.conversation_id, one.is_writing) for one in watcher.bodies("ai_writing")]
    assert (ana.conversation_id, True) in signs
    assert signs[-1] == (ana.conversation_id, False)
    handover = watcher.bodies("mode_changed")[-1].thread.handover
    assert handover.reason == messaging_v1.HANDOVER_REASON_CUSTOMER_ASKED
    outcomes = [one.turn.outcome for one in watcher.bodies("turn_ended")]
    assert outcomes == [
        assistant_v1.TURN_OUTCOME_REPLIED,
        assistant_v1.TURN_OUTCOME_HANDED_OVER,
    ]


async def test_a_demo_whose_owner_wants_people_to_answer_is_left_so(
    services: Services, shop: Tenant
) -> None:
    stubs = Stubs(services)
    manual = messaging_v1.CONVERSATION_MODE_MANUAL
    await stubs.messaging.UpdateMessagingSettings(
        messaging_v1.UpdateMessagingSettingsRequest(default_mode=manual),
        metadata=shop.callers[Role.OWNER],
    )

    credential = demo.Credential(SERVICE_KEY, shop.workspace_id)
    assert not await demo.let_ai_answer(stubs.messaging, credential)

    stored = await stubs.messaging.GetMessagingSettings(
        messaging_v1.GetMessagingSettingsRequest(), metadata=shop.callers[Role.OWNER]
    )
    assert stored.settings.default_mode == manual


async def test_the_ai_leaves_what_lies_in_spam_alone(
    services: Services, shop: Tenant, servers: TestServers
) -> None:
    stubs, ana = Stubs(services), Customer(Stubs(services))
    await ana.arrive(shop.channel_id)
    await ana.writes("hello")
    assert await ana.is_answered(1) == ["Hello! How can I help you?"]

    async def moves(folder: conversation_v1.Folder.ValueType) -> None:
        await stubs.conversation.MoveConversation(
            conversation_v1.MoveConversationRequest(
                conversation_id=ana.conversation_id, folder=folder, request_id=new_id()
            ),
            metadata=shop.callers[Role.OWNER],
        )

    async def is_heard(is_silenced: bool, inbound_count: int) -> None:
        """Until the AI knows both; its two sources keep no order between them."""
        url = with_database(servers.database_url, services.urls["assistant"].name)
        async with connected(url) as connection, asyncio.timeout(WITHIN_SECONDS):
            expected = (is_silenced, inbound_count)
            while tuple(await connection.fetchrow(HEARD, ana.conversation_id) or ()) != expected:
                await asyncio.sleep(0.05)

    await moves(conversation_v1.FOLDER_SPAM)
    await is_heard(True, 1)
    await ana.writes("What are your opening hours?")
    await is_heard(True, 2)
    await moves(conversation_v1.FOLDER_OPEN)
    await is_heard(False, 2)
    await ana.writes("thank you")

    assert (await ana.is_answered(2))[1:] == ["You are welcome!"]
