"""Credentials at the real front door: cookie, tickets, and what ends when a key is revoked."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from chassis.ids import new_id
from inbox.identity import v1 as identity_v1
from inbox.policy import v1 as policy_v1
from tests.running_inbox import RunningInbox
from tests.system.sockets.people import Agent, Closed, Edge, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENDS_WITHIN_SECONDS = 5.0


@pytest.fixture(scope="module")
def owner(suite: RunningInbox) -> str:
    return suite.key("owner")


@pytest.fixture
async def page(suite: RunningInbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A page of ours in a browser."""
    origin = suite.url
    async with aiohttp.ClientSession(
        origin,
        headers={"origin": origin, "x-inbox-client": "web"},
        cookie_jar=aiohttp.CookieJar(unsafe=True),
    ) as session:
        yield session


async def new_key(edge: Edge, owner: str, role: policy_v1.Role.ValueType) -> tuple[str, str]:
    """A fresh API key: its id and its secret."""
    asked = identity_v1.CreateApiKeyRequest(request_id=new_id(), display_name="test", role=role)
    made = await edge.call(
        "inbox.identity.v1.IdentityService/CreateApiKey",
        asked,
        identity_v1.CreateApiKeyResponse,
        owner,
    )
    return made.api_key.id, made.secret


async def test_a_revoked_key_ends_its_sockets_within_five_seconds(
    edge: Edge, owner: str, agent: Agent
) -> None:
    key_id, secret = await new_key(edge, owner, policy_v1.ROLE_AGENT)
    doomed = Agent(edge, secret)
    await doomed.connect()

    began = time.monotonic()
    await edge.call(
        "inbox.identity.v1.IdentityService/RevokeApiKey",
        identity_v1.RevokeApiKeyRequest(api_key_id=key_id),
        identity_v1.RevokeApiKeyResponse,
        owner,
    )
    with pytest.raises(Closed) as closed:
        while True:
            await doomed.frame()

    assert closed.value.code == 4403
    assert time.monotonic() - began < ENDS_WITHIN_SECONDS
    with pytest.raises(Refused) as refused:
        await doomed.connect()
    assert refused.value.status == 401
    await agent.until("api_key_changed")


async def test_a_read_only_key_sees_but_cannot_send(edge: Edge, owner: str) -> None:
    _, secret = await new_key(edge, owner, policy_v1.ROLE_READ_ONLY)
    reader = Agent(edge, secret)
    await reader.connect()

    assert not await reader.say(new_id(), "hola", new_id())
    assert reader.socket is not None
    await reader.socket.close()


async def test_a_one_time_link_gives_a_session_that_opens_sockets_and_ends(
    suite: RunningInbox, page: aiohttp.ClientSession, edge: Edge
) -> None:
    link = re.search(r"/sign-in\?link=(\S+)", suite.screen)
    assert link is not None

    async with page.post("/auth/sign-in", json={"link": link[1]}) as answer:
        assert answer.status == 200, await answer.text()
        assert "HttpOnly" in answer.headers["set-cookie"]
    async with page.post("/auth/sign-in", json={"link": link[1]}) as answer:
        assert answer.status in {400, 401, 409}, "the link is good once"
    async with page.post("/auth/ticket", json={}) as answer:
        ticket = (await answer.json())["ticket"]
    watcher = Agent(edge, "")
    await watcher.connect_with(ticket)

    async with page.post("/auth/sign-out", json={}) as answer:
        assert answer.status == 200
    with pytest.raises(Closed) as closed:
        async with asyncio.timeout(ENDS_WITHIN_SECONDS):
            while True:
                await watcher.frame()

    assert closed.value.code == 4403
    async with page.post("/auth/ticket", json={}) as answer:
        assert answer.status == 401


async def test_a_page_of_another_site_gets_nothing(page: aiohttp.ClientSession) -> None:
    foreign = {"origin": "https://evil.example"}

    async with page.post("/auth/sign-in", json={"link": "il_x.y"}, headers=foreign) as answer:
        assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.ws_connect("/ws", protocols=("inbox.v1.proto",), headers=foreign)
    assert refused.value.status == 403
