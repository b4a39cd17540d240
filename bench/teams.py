"""P11, P12: teams' gRPC calls, the stream of sends, and browsers that all come back at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4  # noqa: TID251 - ids of a benchmark

import aiohttp
import grpc

from bench.anchors import cpu_seconds
from bench.desks import BenchDesk
from bench.fan_out import open_many
from inbox.messaging import v1 as messaging_v1

ITEMS = 64
CLIENTS = 16


@dataclass(frozen=True)
class TeamsFound:
    """What teams get."""

    unary_per_second: float
    unary_per_core_second: float
    stream_messages_per_second: float
    stream_refused: int


async def measure(address: str, pid: int, desk: BenchDesk, *, seconds: float) -> TeamsFound:
    """GetThread calls from 16 clients, then one stream of batches with a bounded window."""
    metadata = (("authorization", f"Bearer {desk.token}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        deadline = time.perf_counter() + seconds
        calls = 0

        async def client() -> None:
            nonlocal calls
            while time.perf_counter() < deadline:
                await stub.GetThread(
                    messaging_v1.GetThreadRequest(conversation_id=desk.conversations[0]),
                    metadata=metadata,
                    timeout=10,
                )
                calls += 1

        used = cpu_seconds(pid)
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(client())
        used = cpu_seconds(pid) - used
        sent, refused, elapsed = await _stream(stub, metadata, desk, seconds)
    return TeamsFound(
        unary_per_second=calls / seconds,
        unary_per_core_second=calls / used if used else 0.0,
        stream_messages_per_second=sent / elapsed,
        stream_refused=refused,
    )


async def _stream(
    stub: messaging_v1.MessagingServiceStub,
    metadata: tuple[tuple[str, str], ...],
    desk: BenchDesk,
    seconds: float,
) -> tuple[int, int, float]:
    window = asyncio.Semaphore(ITEMS * CLIENTS)
    started = time.perf_counter()

    async def batches() -> AsyncIterator[messaging_v1.SendMessagesRequest]:
        ref = 0
        while time.perf_counter() < started + seconds:
            items = []
            for _ in range(ITEMS):
                await window.acquire()
                ref += 1
                items.append(
                    messaging_v1.SendMessagesItem(
                        ref=ref,
                        request=messaging_v1.SendMessageRequest(
                            conversation_id=desk.conversations[ref % len(desk.conversations)],
                            client_message_id=str(uuid4()),
                            text="x" * 120,
                        ),
                    )
                )
            yield messaging_v1.SendMessagesRequest(items=items)

    sent = refused = 0
    async for answer in stub.SendMessages(batches(), metadata=metadata):
        for result in answer.results:
            window.release()
            if result.HasField("sent"):
                sent += 1
            else:
                refused += 1
    return sent, refused, time.perf_counter() - started


async def reconnect_storm(
    http: aiohttp.ClientSession, url: str, desk: BenchDesk, *, sockets: int
) -> float:
    """Browsers per second that all come back at once, each with a ticket of its own."""
    first = await open_many(http, url, desk, 1)
    position = first[0].position
    first[0].transport.abort()
    started = time.perf_counter()
    opened = await open_many(http, url, desk, sockets, position)
    elapsed = time.perf_counter() - started
    for socket in opened:
        socket.transport.abort()
    return sockets / elapsed
