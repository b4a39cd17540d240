"""P3, P5, P6, P13: one workspace with a thousand browsers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from uuid import uuid4  # noqa: TID251 - ids of a benchmark

import aiohttp
import grpc

from bench.anchors import cpu_seconds, resident_bytes
from bench.desks import BenchDesk, ticket
from bench.report import percentile
from bench.sockets import BenchSocket, open_socket
from inbox.messaging import v1 as messaging_v1

OPEN_AT_ONCE = 32
WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class FanOutFound:
    """What a thousand sockets cost."""

    sockets: int
    idle_bytes_per_socket: float
    cpu_micros_per_delivery: float
    frame_bytes: int
    burst_deliveries_per_second: float
    p99_millis: float
    p99_millis_with_stalled: float
    stalled_closed: int


async def measure(
    http: aiohttp.ClientSession,
    url: str,
    grpc_target: str,
    gateway_pid: int,
    desk: BenchDesk,
    *,
    sockets: int,
    rounds: int,
) -> FanOutFound:
    """Open the sockets, send single events, a burst, and single events beside stalled readers."""
    before = resident_bytes(gateway_pid)
    opened = await open_many(http, url, desk, sockets)
    await asyncio.sleep(1.0)
    idle = (resident_bytes(gateway_pid) - before) / sockets
    try:
        async with grpc.aio.insecure_channel(grpc_target) as channel:
            sender = _Sender(messaging_v1.MessagingServiceStub(channel), desk)
            await sender.rounds(opened, 5)
            base = cpu_seconds(gateway_pid)
            ages = await sender.rounds(opened, rounds)
            single = cpu_seconds(gateway_pid) - base
            started = time.perf_counter()
            await sender.burst(opened, rounds)
            burst = sockets * rounds / (time.perf_counter() - started)
            for socket in opened[::10]:
                socket.transport.pause_reading()
            healthy = [socket for number, socket in enumerate(opened) if number % 10]
            stalled_ages = await sender.rounds(healthy, rounds)
    finally:
        for socket in opened:
            socket.transport.abort()
    return FanOutFound(
        sockets=sockets,
        idle_bytes_per_socket=idle,
        cpu_micros_per_delivery=single / (sockets * rounds) * 1e6,
        frame_bytes=len(opened[0].last_frame),
        burst_deliveries_per_second=burst,
        p99_millis=percentile(ages, 0.99) * 1e3,
        p99_millis_with_stalled=percentile(stalled_ages, 0.99) * 1e3,
        stalled_closed=sum(socket.closed for socket in opened[::10]),
    )


async def open_many(
    http: aiohttp.ClientSession, url: str, desk: BenchDesk, count: int, position: str = ""
) -> list[BenchSocket]:
    """Many sockets of one workspace, some at a time."""
    gate = asyncio.Semaphore(OPEN_AT_ONCE)

    async def one() -> BenchSocket:
        async with gate:
            return await open_socket(url, await ticket(http, url, desk.key), position)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in tasks]


class _Sender:
    def __init__(self, stub: messaging_v1.MessagingServiceStub, desk: BenchDesk) -> None:
        self.stub = stub
        self.desk = desk

    async def send(self) -> None:
        await self.stub.SendMessage(
            messaging_v1.SendMessageRequest(
                conversation_id=self.desk.conversations[0],
                client_message_id=str(uuid4()),
                text=f"@@{time.perf_counter()}|{'x' * 120}",
            ),
            metadata=(("authorization", f"Bearer {self.desk.token}"),),
            timeout=10,
        )

    async def rounds(self, sockets: list[BenchSocket], count: int) -> list[float]:
        """One event, wait until everybody has it, the next one."""
        for socket in sockets:
            socket.ages = []
        for _ in range(count):
            wanted = [socket.deliveries + 1 for socket in sockets]
            await self.send()
            await _until(sockets, wanted)
        return [age for socket in sockets for age in (socket.ages or [])]

    async def burst(self, sockets: list[BenchSocket], count: int) -> None:
        """Many events at once."""
        for socket in sockets:
            socket.ages = None
        wanted = [socket.deliveries + count for socket in sockets]
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self.send())
        await _until(sockets, wanted)


async def _until(sockets: list[BenchSocket], wanted: list[int]) -> None:
    deadline = time.perf_counter() + WAIT_SECONDS
    while any(s.deliveries < w for s, w in zip(sockets, wanted, strict=True)):
        if time.perf_counter() > deadline:
            raise TimeoutError("not every socket had every event")
        await asyncio.sleep(0.002)
