"""Agents' live sockets through a real gateway: hello, chain, resume, tickets, sending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from gateway.ring import Event, Ring
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1
from tests.service.gateway.doubles import WORKSPACE
from tests.service.gateway.live_client import (
    JSON,
    PROTO,
    ChainBroken,
    LiveClient,
    snapshot,
)
from tests.service.gateway.log_double import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.service.gateway.suite_double import Services


@pytest.mark.parametrize("subprotocol", [PROTO, JSON])
async def test_a_socket_is_greeted_and_then_told_what_happens(
    new_client: Callable[..., LiveClient], services: Services, subprotocol: str
) -> None:
    client = new_client(subprotocol=subprotocol)
    hello = await client.connect()
    assert (hello.member_id, hello.workspace_id, hello.is_resumed) == ("m1", WORKSPACE, False)
    assert client.position
    assert (await client.frame()).WhichOneof("body") == "present_members"

    services.log.message("hola")

    frame = await client.until("message_created")
    assert frame.message_created.message.text == "hola"


async def test_both_subprotocols_tell_the_same(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    tabs = [new_client(subprotocol=PROTO), new_client(subprotocol=JSON)]
    for tab in tabs:
        await tab.connect()
        await tab.until("present_members")

    services.log.message("¡hola! 👋", delivery_status=messaging_v1.DELIVERY_STATUS_SENT)
    services.log.conversation_read(3)

    binary, json = [await tab.durable_frames(2) for tab in tabs]
    assert {frame.WhichOneof("body") for frame in binary} == {
        "message_created",
        "conversation_read",
    }
    assert binary == json


async def test_a_reconnect_resumes_without_loss_or_repeat(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()
    first = services.log.message("one")
    await client.until_seen(first.id)
    client.cut()

    missed = [services.log.message(f"missed {number}") for number in range(20)]
    hello = await client.connect()
    await client.until_seen(missed[-1].id)

    assert hello.is_resumed
    assert set(client.seen.values()) == {1}
    assert client.versions == snapshot(services)
    # The hub remembered: nobody had to be asked.
    assert len(services.realtime.watches) == 1


async def test_a_long_absence_is_caught_up_by_a_private_watch(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()
    other = new_client(member_id="m2")
    await other.connect()
    client.cut()

    for number in range(3000):
        services.log.message(f"missed {number}")
        if number % 50 == 0:
            services.log.conversation_read(number + 1)
            await asyncio.sleep(0)
    last = services.log.message("last")
    await other.until_seen(last.id)
    hello = await client.connect()
    while_catching_up = services.log.message("while catching up")
    await client.until_seen(while_catching_up.id)

    assert hello.is_resumed
    assert len(services.realtime.watches) > 1
    assert set(client.seen.values()) == {1}
    assert client.versions == snapshot(services)


@pytest.mark.parametrize("position", ["not-a-position", "CgA", "x" * 5000, "AAAA"])
async def test_a_position_nobody_knows_is_answered_with_resync_once(
    new_client: Callable[..., LiveClient], services: Services, position: str
) -> None:
    client = new_client(position=position)

    hello = await client.connect()
    resync = await client.frame()

    assert not hello.is_resumed
    assert resync.WhichOneof("body") == "resync_required"
    message = services.log.message("after")
    await client.until_seen(message.id)


async def test_a_position_that_is_too_old_is_answered_with_resync(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()
    client.cut()
    other = new_client(member_id="m2")
    await other.connect()
    for number in range(1500):
        last = services.log.message(str(number))
    await other.until_seen(last.id)
    services.log.kept_from = services.log.heads()

    hello = await client.connect()

    assert not hello.is_resumed
    assert (await client.frame()).WhichOneof("body") == "resync_required"
    assert client.versions == snapshot(services)


async def test_a_ticket_is_good_once(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    ticket = services.identity.issue_ticket("m1")
    await new_client().connect(ticket=ticket)
    thief = new_client()

    await thief.open()
    await thief.send(hello=realtime_v1.ClientHello(ticket=ticket))

    assert (await thief.closing()).code == 4401


async def test_without_a_hello_in_time_the_socket_is_closed(
    new_client: Callable[..., LiveClient],
) -> None:
    client = new_client()
    await client.open()

    closed = await client.closing()

    assert closed.code == 4401


async def test_pages_of_other_sites_may_not_open_a_socket(
    new_client: Callable[..., LiveClient],
) -> None:
    client = new_client()

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.open(origin="https://evil.example")
    assert refused.value.status == 403
    await client.open(origin="http://127.0.0.1:8080")


async def test_other_subprotocols_are_refused_and_the_known_ones_named(
    new_client: Callable[..., LiveClient],
) -> None:
    client = new_client(subprotocol="chat")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.open()
    assert refused.value.status == 400

    url = f"http://127.0.0.1:{client.port}/ws"
    async with client.http.get(url) as answer:
        assert answer.status == 426
    headers = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with client.http.get(url, headers=headers) as answer:
        assert answer.status == 400
        assert "inbox.v1.proto or inbox.v1.json" in (await answer.json())["message"]


async def test_a_revoked_session_is_closed_and_others_are_not(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    ana, bo = new_client(member_id="m1"), new_client(member_id="m2")
    await ana.connect()
    await bo.connect()

    services.log.session_revoked("credential-of-m1")

    assert (await ana.closing(within=5)).code == 4403
    await bo.until("session_revoked")
    message = services.log.message("still here")
    await bo.until_seen(message.id)


async def test_a_changed_role_asks_for_a_fresh_credential(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    ana = new_client()
    await ana.connect()

    services.log.member_changed(id="m1", role=policy_v1.ROLE_READ_ONLY)

    assert (await ana.closing(within=5)).code == 4401


async def test_two_tabs_are_one_presence_until_the_last_closes(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    one, two, colleague = new_client(), new_client(), new_client(member_id="m2")
    for client in (one, two, colleague):
        await client.connect()
    await one.send(
        presence=realtime_v1.PresenceUpdate(conversation_id=CONVERSATION_ID, is_typing=True)
    )
    while True:
        presence = (await colleague.until("presence")).presence
        if presence.is_typing:
            break
    assert presence.member_id == "m1"
    assert presence.conversation_id == CONVERSATION_ID

    await one.close()
    await asyncio.sleep(0.3)
    assert not any(told.is_gone for told in services.realtime.presence)
    await two.close()

    while True:
        presence = (await colleague.until("presence")).presence
        if presence.is_gone:
            break
    assert presence.member_id == "m1"


async def test_the_stream_behind_the_hub_may_break_without_sockets_noticing(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()

    for number in range(30):
        message = services.log.message(str(number))
        if number % 7 == 3:
            services.realtime.cut()
        await asyncio.sleep(0.01)
    await client.until_seen(message.id)

    assert set(client.seen.values()) == {1}
    assert client.versions == snapshot(services)
    assert len(services.realtime.watches) > 2


async def test_a_log_that_begins_anew_makes_everybody_load_a_snapshot(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()
    message = services.log.message("before")
    await client.until_seen(message.id)

    services.log.epoch = "e2"
    services.realtime.cut()

    await client.until("resync_required")
    message = services.log.message("after")
    await client.until_seen(message.id)


async def test_negative_control_a_memory_that_forgets_one_frame_is_noticed(
    new_client: Callable[..., LiveClient], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this failing, the test above would prove nothing."""
    complete = Ring.after

    def forgetful(ring: Ring, position: str) -> list[Event] | None:
        following = complete(ring, position)
        return following[1:] if following else following

    monkeypatch.setattr(Ring, "after", forgetful)
    client, other = new_client(), new_client(member_id="m2")
    await client.connect()
    await other.connect()
    client.cut()
    for number in range(3):
        last = services.log.message(str(number))
    await other.until_seen(last.id)

    await client.connect()

    with pytest.raises(ChainBroken):
        await client.until_seen(last.id)


async def test_a_client_that_closes_is_answered(new_client: Callable[..., LiveClient]) -> None:
    client = new_client()
    socket = await client.open()

    await socket.close(code=4902)

    assert socket.close_code == 4902
