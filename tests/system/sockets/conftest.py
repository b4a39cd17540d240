"""The front door of a running suite, and people at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from inbox.messaging import v1 as messaging_v1
from tests.system.running import RunningSuite, dev
from tests.system.sockets.people import Agent, Customer, Edge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def agents_key(suite: RunningSuite) -> str:
    answer = dev("key", "--role", "agent", "--data", str(suite.data))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def key(suite: RunningSuite) -> str:
    return agents_key(suite)


@pytest.fixture
async def edge(suite: RunningSuite) -> AsyncIterator[Edge]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Edge(http, f"http://localhost:{suite.port}")


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
