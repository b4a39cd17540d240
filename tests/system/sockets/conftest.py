"""The front door of a running suite, and people at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from inbox.messaging import v1 as messaging_v1
from tests.running_inbox import RunningInbox
from tests.system.sockets.people import Agent, Customer, Edge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="module")
def key(suite: RunningInbox) -> str:
    return suite.key("agent")


@pytest.fixture
async def edge(suite: RunningInbox) -> AsyncIterator[Edge]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Edge(http, suite.url)


@pytest.fixture
async def agent(edge: Edge, key: str) -> AsyncIterator[Agent]:
    agent = Agent(edge, key)
    await agent.connect()
    yield agent
    if agent.socket is not None:
        await agent.socket.close()


@pytest.fixture
async def customer(edge: Edge, key: str) -> Customer:
    listed = await edge.call(
        "inbox.messaging.v1.ChannelService/ListChannels",
        messaging_v1.ListChannelsRequest(),
        messaging_v1.ListChannelsResponse,
        key,
    )
    (channel,) = [one for one in listed.channels if one.kind == messaging_v1.CHANNEL_KIND_WEB_CHAT]
    customer = Customer(edge, channel.id)
    await customer.arrive(display_name="Zoe")
    return customer
