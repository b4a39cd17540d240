"""A shop whose AI answers as the demo's does, and a customer at its chat box."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chassis.ids import new_id
from chassis.rpc.channel import Metadata
from inbox.messaging import v1 as messaging_v1
from suite import demo
from suite.datafolder import DataFolder
from tests.serving import SERVICE_KEY, bearer
from tests.system.services import Services
from tests.system.tenants import Stubs, Tenant, a_tenant

WITHIN_SECONDS = 20.0
SELF = messaging_v1.VISITOR_AUTHOR_KIND_SELF


async def a_shop(services: Services, folder: Path) -> Tenant:
    """A workspace that the demo's AI answers in, and knows what the demo's knows."""
    tenant, stubs = await a_tenant(services, "a-shop"), Stubs(services)
    credential = demo.Credential(SERVICE_KEY, tenant.workspace_id)
    data = DataFolder(folder / "data")
    data.prepare()
    assert await demo.let_ai_answer(stubs.messaging, credential)
    await demo.write_articles(stubs.knowledge, data, credential)
    return tenant


class Customer:
    """Somebody at the chat box."""

    def __init__(self, stubs: Stubs) -> None:
        self._chat = stubs.chat
        self.conversation_id = ""
        self._metadata: Metadata = ()

    async def arrive(self, channel_id: str) -> None:
        opened = await self._chat.OpenSession(
            messaging_v1.OpenSessionRequest(channel_id=channel_id, display_name="Ana")
        )
        self.conversation_id = opened.conversation_id
        self._metadata = bearer(opened.access_token)

    async def writes(self, text: str) -> None:
        await self._chat.PostMessage(
            messaging_v1.PostMessageRequest(client_message_id=new_id(), text=text),
            metadata=self._metadata,
        )

    async def sees(self) -> list[str]:
        """What others wrote, oldest first."""
        listed = await self._chat.ListMessages(
            messaging_v1.WebChatServiceListMessagesRequest(), metadata=self._metadata
        )
        told = [one for one in listed.messages if one.author_kind != SELF]
        return [one.text for one in sorted(told, key=lambda one: one.seq)]

    async def is_answered(self, count: int) -> list[str]:
        async with asyncio.timeout(WITHIN_SECONDS):
            while len(seen := await self.sees()) < count:
                await asyncio.sleep(0.05)
        return seen
