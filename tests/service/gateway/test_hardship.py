"""Slow readers, noise, floods, restarts: what a live socket has to survive or refuse."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import aiohttp
import pytest

from gateway.frames import unmask
from gateway.process import Gateway
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.malice import input_count, tries_many
from tests.service.gateway.conftest import gateway_settings
from tests.service.gateway.live_client import JSON, PROTO, Closed, LiveClient, snapshot
from tests.service.gateway.log_double import CONVERSATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.service.gateway.suite_double import Services

MALFORMED_INPUTS = input_count(500)
SOCKETS_AT_ONCE = 10
NO_CLOSE = [first for first in range(256) if first & 0x0F != 0x8]
"""First bytes of all frames but those that close: the code they bring is answered with itself."""


def masked(first: int, payload: bytes) -> bytes:
    """A client frame whose first byte is as given."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:
        header = bytes((first, 0x80 | size))
    elif size < 65536:
        header = bytes((first, 0xFE)) + size.to_bytes(2)
    else:
        header = bytes((first, 0xFF)) + size.to_bytes(8)
    return header + mask + unmask(payload, mask)


class RawClient:
    """A client that can misbehave: it writes bytes and reads only when told."""

    def __init__(self, port: int, subprotocol: str = PROTO) -> None:
        self.port = port
        self.subprotocol = subprotocol

    async def __aenter__(self) -> Self:
        raw = socket.socket()
        # A small window, so that what is not read is soon noticed.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        self.reader, self.writer = await asyncio.open_connection(sock=raw, limit=4096)
        self.writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Protocol: " + self.subprotocol.encode() + b"\r\n\r\n"
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def frame(self, within: float = 10.0) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload."""
        async with asyncio.timeout(within):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2))
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def close_code(self) -> int | None:
        """Read up to a close frame; its code, or None if the connection just ended."""
        try:
            while True:
                first, payload = await self.frame()
                if first == 0x88:
                    return int.from_bytes(payload[:2])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


def hello_bytes(services: Services, member_id: str = "m1", position: str = "") -> bytes:
    ticket = services.identity.issue_ticket(member_id)
    hello = realtime_v1.ClientHello(ticket=ticket, position=position)
    return masked(0x82, realtime_v1.ClientFrame(hello=hello).SerializeToString())


async def test_a_reader_that_stops_is_closed_and_resumes_without_loss(
    new_client: Callable[..., LiveClient], services: Services
) -> None:
    healthy, slow = new_client(member_id="m1"), new_client(member_id="m2")
    await healthy.connect()
    await slow.connect()
    resumed_from = slow.position
    big = "x" * 8000

    # Nobody reads the slow one's socket from here on.
    slow_socket, slow.socket = slow.socket, None
    async with RawClient(healthy.port) as stuck:
        stuck.send(hello_bytes(services, "m3"))
        await asyncio.sleep(0.3)
        for _ in range(40):
            for _ in range(20):
                last = services.log.message(big)
            await healthy.until_seen(last.id)
        code = await stuck.close_code()
    assert slow_socket is not None
    await slow_socket.close()

    # It reads on and finds the close code behind what the kernel had already taken.
    assert code == 4408
    hello = await slow.connect(position=resumed_from)
    await slow.until_seen(last.id, within=30)
    assert hello.is_resumed
    assert set(slow.seen.values()) == {1}
    assert slow.versions == healthy.versions == snapshot(services)


@tries_many
async def test_malformed_frames_are_refused_and_never_a_fault_of_ours(
    services: Services, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    seed = random.randrange(2**32)
    print(f"T12 {MALFORMED_INPUTS} frames, seed {seed}")
    codes = Counter[int | None]()
    numbers = iter(range(MALFORMED_INPUTS))

    async def try_some() -> None:
        for number in numbers:
            codes[await close_code_after_noise(services, gateway, f"{seed} {number}")] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(SOCKETS_AT_ONCE):
            group.create_task(try_some())

    print(codes)
    assert set(codes) <= {4400, 4401, 1000, None}
    assert codes[4400] > MALFORMED_INPUTS / 2
    assert "job_failed" not in caplog.text


async def close_code_after_noise(services: Services, gateway: Gateway, seed: str) -> int | None:
    """What a socket says that hears noise; None when it waits for the rest of it."""
    dice = random.Random(seed)
    async with RawClient(gateway.port, dice.choice([PROTO, JSON])) as client:
        is_greeted = dice.random() < 0.5 and client.subprotocol == PROTO
        if is_greeted:
            client.send(hello_bytes(services, f"m{seed}"))
            await client.frame()
        noise = dice.randbytes(dice.randint(1, 300))
        kind = dice.randint(0, 3)
        if kind == 0:
            client.send(noise + b"\xff" * 20)
        elif kind == 1:
            client.send(masked(0x82, noise))
        elif kind == 2:
            client.send(masked(0x81, noise))
        else:
            client.send(masked(dice.choice(NO_CLOSE), noise))
        # A message that is allowed after all leaves the socket open; then we close it.
        client.send(masked(0x88, (1000).to_bytes(2)))
        try:
            async with asyncio.timeout(3):
                return await client.close_code()
        except TimeoutError:
            return None


async def test_an_oversized_frame_and_a_flood_are_refused(
    new_client: Callable[..., LiveClient],
) -> None:
    client = new_client()
    await client.connect()
    assert client.socket is not None
    with contextlib.suppress(ConnectionError):
        await client.socket.send_bytes(b"x" * (64 * 1024 + 1))
    assert (await client.closing()).code == 4400

    flooding = new_client(member_id="m2")
    await flooding.connect()
    with contextlib.suppress(ConnectionError):
        for _ in range(60):
            await flooding.send(presence=realtime_v1.PresenceUpdate())
    assert (await flooding.closing()).code == 4429


async def test_with_realtime_away_sockets_are_not_left_in_silence(
    new_client: Callable[..., LiveClient], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.trunk.AWAY_AFTER_SECONDS", 0.5)
    client = new_client()
    await client.connect()

    services.realtime.is_away = True
    services.realtime.cut()

    assert (await client.closing()).code == 1012
    services.realtime.is_away = False
    message = services.log.message("meanwhile")
    hello = await client.connect()
    await client.until_seen(message.id)
    assert hello.is_resumed


async def test_with_messaging_away_a_message_is_refused_in_time(
    new_client: Callable[..., LiveClient], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sends.ANSWER_WITHIN_SECONDS", 0.5)
    services.messaging.is_silent = True
    client = new_client()
    await client.connect()

    request = messaging_v1.SendMessageRequest(
        conversation_id=CONVERSATION_ID, client_message_id="c-1", text="hola"
    )
    await client.send(ref=3, send_message=request)

    ack = (await client.until("ack")).ack
    assert ack.error.code == 14


async def test_a_client_that_changes_gateways_sees_one_chain(
    services: Services, gateway: Gateway, new_client: Callable[..., LiveClient]
) -> None:
    async with Gateway(gateway_settings(services)) as other:
        first, second = new_client(port=gateway.port), new_client(port=other.port, member_id="m2")
        await first.connect()
        await second.connect()
        wanderer = new_client(member_id="m3")
        await wanderer.connect()

        for number in range(60):
            message = services.log.message(str(number))
            services.log.conversation_read(number + 1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    while True:
                        await wanderer.frame()
            wanderer.cut()
            wanderer.port = (gateway.port, other.port)[number % 2]
            await wanderer.connect()
        await wanderer.until_seen(message.id)
        while wanderer.versions.get(CONVERSATION_ID) != 60:
            await wanderer.frame()

        assert wanderer.snapshots == 1
        assert set(wanderer.seen.values()) == {1}
        assert wanderer.versions == snapshot(services)


class Writer:
    """Sends, and sends again what was not answered, as the web client's outbox does."""

    def __init__(self, client: LiveClient, number: int, gateways: list[Gateway]) -> None:
        self.client = client
        self.number = number
        self.gateways = gateways

    async def write(self, count: int) -> None:
        for index in range(count):
            request = messaging_v1.SendMessageRequest(
                conversation_id=CONVERSATION_ID,
                client_message_id=f"c-{self.number}-{index}",
                text=f"{self.number} {index}",
            )
            while not await self._is_sent(index + 1, request):
                await self.come_back()
            await asyncio.sleep(0.02)

    async def _is_sent(self, ref: int, request: messaging_v1.SendMessageRequest) -> bool:
        try:
            await self.client.send(ref=ref, send_message=request)
            return (await self.client.until("ack", within=3)).ack.HasField("sent")
        except (Closed, ConnectionError, TimeoutError):
            return False

    async def come_back(self) -> None:
        while True:
            try:
                self.client.port = self.gateways[-1].port
                await self.client.connect()
            except (Closed, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.05)
            else:
                return

    async def see(self, message_id: str) -> None:
        while message_id not in self.client.seen:
            try:
                await self.client.until_seen(message_id)
            except Closed:
                await self.come_back()


async def test_gateways_that_end_while_messages_flow_lose_and_double_nothing(
    services: Services, new_client: Callable[..., LiveClient]
) -> None:
    gateways: list[Gateway] = []
    clients = [new_client(member_id=f"m{number}") for number in range(4)]
    writers = [Writer(client, number, gateways) for number, client in enumerate(clients)]

    async with contextlib.AsyncExitStack() as stack:
        gateways.append(await stack.enter_async_context(Gateway(gateway_settings(services))))
        for writer in writers:
            await writer.come_back()
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.write(25))
            for _ in range(3):
                await asyncio.sleep(0.3)
                successor = Gateway(gateway_settings(services))
                gateways.append(await stack.enter_async_context(successor))
                await gateways[-2].__aexit__(None, None, None)
        last = services.log.message("the last")
        for writer in writers:
            await writer.see(last.id)

    assert len(services.messaging.stored) == 100
    for client in clients:
        assert client.versions == snapshot(services)
        assert set(client.seen.values()) == {1}


async def test_a_gateway_that_ends_asks_its_clients_to_come_back(
    services: Services,
) -> None:
    async with Gateway(gateway_settings(services)) as ending, aiohttp.ClientSession() as http:
        client = LiveClient(services, ending.port, http)
        await client.connect()
        closing = asyncio.ensure_future(ending.__aexit__(None, None, None))

        began = time.monotonic()
        frame = await client.until("reconnect")
        closed = await client.closing()
        await closing

        assert frame.reconnect.delay_millis < 1000
        assert closed.code == 1012
        assert time.monotonic() - began < 8


async def test_while_draining_nobody_new_is_taken(
    services: Services, gateway: Gateway, new_client: Callable[..., LiveClient]
) -> None:
    gateway.health.set_ready(is_ready=False)

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await new_client().open()
    assert refused.value.status == 503
