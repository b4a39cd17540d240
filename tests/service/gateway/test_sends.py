"""Sending through streams to two messaging replicas, one of which dies, stalls, or lies low."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import pytest

from gateway.jobs import Jobs
from gateway.sends import Sends
from gateway.upstream import Upstream
from inbox.messaging import v1 as messaging_v1
from tests.service.gateway.conftest import gateway_settings
from tests.service.gateway.live_doubles import Messaging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.service.gateway.suite_double import Services

CONVERSATIONS = 8


@dataclass
class Replica:
    """One messaging process; both store in the same place."""

    messaging: Messaging
    server: grpc.aio.Server
    address: str


async def start_replica(services: Services) -> Replica:
    messaging = Messaging(services.log, services.messaging.stored)  # type: ignore[abstract]
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    messaging_v1.add_MessagingServiceServicer_to_server(messaging, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return Replica(messaging, server, f"127.0.0.1:{port}")


@pytest.fixture
async def replicas(services: Services) -> AsyncIterator[list[Replica]]:
    running = [await start_replica(services) for _ in range(2)]
    yield running
    for replica in running:
        await replica.server.stop(grace=0)


@asynccontextmanager
async def sending(services: Services, replicas: list[Replica]) -> AsyncIterator[Sends]:
    upstream = Upstream(gateway_settings(services))
    async with Jobs() as jobs:
        sends = Sends(upstream, [replica.address for replica in replicas])
        sends.start(jobs)
        yield sends
    await upstream.close()


class Mailbox:
    """Sends numbered messages and collects the answers."""

    def __init__(self, sends: Sends) -> None:
        self.sends = sends
        self.results: dict[str, messaging_v1.SendMessagesResult] = {}
        self.answers = 0

    def send(self, number: int, token: str = "token") -> None:
        name = f"c-{number}"

        def deliver(result: messaging_v1.SendMessagesResult) -> None:
            self.answers += 1
            self.results[name] = result

        request = messaging_v1.SendMessageRequest(
            conversation_id=f"conversation-{number % CONVERSATIONS}",
            client_message_id=name,
            text=str(number),
        )
        self.sends.submit(request, token, deliver)

    async def wait_for(self, count: int, within: float = 15.0) -> None:
        async with asyncio.timeout(within):
            while self.answers < count:
                await asyncio.sleep(0.01)


async def test_both_replicas_work_and_a_conversation_keeps_to_one(
    services: Services, replicas: list[Replica]
) -> None:
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(200):
            box.send(number)
        await box.wait_for(200)

    assert all(replica.messaging.batch_sizes for replica in replicas)
    assert sends.under_way == 0
    order: dict[int, list[int]] = {}
    for message in services.messaging.stored.values():
        order.setdefault(int(message.text) % CONVERSATIONS, []).append(int(message.text))
    assert all(numbers == sorted(numbers) for numbers in order.values())


async def test_a_replica_that_dies_loses_and_doubles_nothing(
    services: Services, replicas: list[Replica]
) -> None:
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(300):
            box.send(number)
            if number == 100:
                await replicas[0].server.stop(grace=0)
            await asyncio.sleep(0.001)
        await box.wait_for(300)

    assert box.answers == 300
    assert all(result.HasField("sent") for result in box.results.values())
    assert len(services.messaging.stored) == 300


async def test_answers_that_are_lost_are_asked_for_again(
    services: Services, replicas: list[Replica]
) -> None:
    for replica in replicas:
        replica.messaging.lose_answers = 5
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(100):
            box.send(number)
            await asyncio.sleep(0.002)
        await box.wait_for(100)

    assert len(services.messaging.stored) == 100
    assert any(result.sent.replayed for result in box.results.values())


async def test_a_stream_that_owes_answers_for_long_is_given_up(
    services: Services, replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.lane.STUCK_AFTER_SECONDS", 0.4)
    replicas[0].messaging.is_silent = True
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(20):
            box.send(number)
        await asyncio.sleep(0.2)
        replicas[0].messaging.is_silent = False
        await box.wait_for(20)

    assert all(result.HasField("sent") for result in box.results.values())


async def test_with_nobody_there_each_message_is_told_in_time_and_once(
    services: Services, replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sends.ANSWER_WITHIN_SECONDS", 0.5)
    for replica in replicas:
        await replica.server.stop(grace=0)
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(20):
            box.send(number)
        await box.wait_for(20, within=3)
        await asyncio.sleep(0.5)

    assert box.answers == 20
    assert {result.error.metadata["part"] for result in box.results.values()} == {"messaging"}


async def test_too_much_under_way_is_refused_at_once(
    services: Services, replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sends.MAX_UNDER_WAY", 10)
    for replica in replicas:
        replica.messaging.is_silent = True
    async with sending(services, replicas) as sends:
        box = Mailbox(sends)
        for number in range(15):
            box.send(number)

        assert box.answers == 5
        assert all(result.HasField("error") for result in box.results.values())
