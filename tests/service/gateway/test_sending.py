"""Messages sent over agents' live sockets, through a real gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from tests.service.gateway.log_double import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.service.gateway.live_client import LiveClient
    from tests.service.gateway.suite_double import Services


def text(content: str, client_message_id: str = "c-1") -> messaging_v1.SendMessageRequest:
    return messaging_v1.SendMessageRequest(
        conversation_id=CONVERSATION_ID, client_message_id=client_message_id, text=content
    )


async def test_a_message_is_sent_in_the_members_name_and_acknowledged(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    client = new_client()
    await client.connect()

    await client.send(ref=7, send_message=text("hola"))
    ack = (await client.until("ack")).ack

    assert ack.ref == 7
    assert ack.sent.message.text == "hola"
    assert services.messaging.tokens == ["token-1"]
    await client.send(ref=8, send_message=text("hola"))
    assert (await client.until("ack")).ack.sent.replayed


async def test_a_refused_message_says_why(new_client: Callable[..., LiveClient]) -> None:
    client = new_client()
    await client.connect()

    await client.send(ref=7, send_message=text(""))

    ack = (await client.until("ack")).ack
    assert ack.error.reason == error_v1.REASON_TEXT_EMPTY


async def test_many_messages_share_batches(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    clients = [new_client(member_id=f"m{number}") for number in range(20)]
    for client in clients:
        await client.connect()

    for number in range(20):
        for index, client in enumerate(clients):
            await client.send(ref=number + 1, send_message=text("x", f"c-{index}-{number}"))
    for client in clients:
        acknowledged: set[int] = set()
        while len(acknowledged) < 20:
            acknowledged.add((await client.until("ack")).ack.ref)

    assert len(services.messaging.stored) == 400
    assert max(services.messaging.batch_sizes) > 1


async def test_a_broken_stream_loses_and_doubles_nothing(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    services.messaging.lose_answers = 3
    client = new_client()
    await client.connect()

    for number in range(10):
        await client.send(ref=number + 1, send_message=text(f"{number}", f"c-{number}"))
        await asyncio.sleep(0.05)
    refs = {(await client.until("ack")).ack.ref for _ in range(10)}

    assert refs == set(range(1, 11))
    assert len(services.messaging.stored) == 10
    stored = [message.text for message in services.messaging.stored.values()]
    assert stored == [str(number) for number in range(10)]


async def test_a_read_only_member_may_watch_but_not_send(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    services.identity.role = policy_v1.ROLE_READ_ONLY
    client = new_client()
    await client.connect()

    await client.send(ref=7, send_message=text("hola"))

    ack = (await client.until("ack")).ack
    assert ack.error.reason == error_v1.REASON_ROLE_NOT_ALLOWED
    assert services.messaging.stored == {}
    message = services.log.message("seen")
    await client.until_seen(message.id)
