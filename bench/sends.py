"""P1, P2: durable sends through the sockets, each to the five browsers of its workspace."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from uuid import UUID

import aiohttp

from bench.desks import BenchDesk, ticket
from bench.report import percentile
from bench.sockets import BenchSocket, open_socket
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

SOCKETS_PER_DESK = 5
BODY = "x" * 120
SETTLE_SECONDS = 5.0
WARM_UP_SHARE = 0.2


@dataclass(frozen=True)
class SendsFound:
    """What one rate gave."""

    wanted_per_second: float
    """0: as fast as answers come back."""
    sent: int
    acknowledged_per_second: float
    refused: int
    missing_deliveries: int
    ack_p50_millis: float
    ack_p99_millis: float
    delivery_p50_millis: float
    delivery_p99_millis: float


class Desks:
    """Every workspace with its open sockets."""

    def __init__(self, desks: list[BenchDesk], sockets: list[list[BenchSocket]]) -> None:
        self.desks = desks
        self.sockets = sockets

    @property
    def all_sockets(self) -> list[BenchSocket]:
        """All of them."""
        return [socket for group in self.sockets for socket in group]

    def close(self) -> None:
        """Hang up."""
        for socket in self.all_sockets:
            socket.transport.abort()


async def open_desks(http: aiohttp.ClientSession, url: str, desks: list[BenchDesk]) -> Desks:
    """Five sockets for each workspace."""

    async def five(desk: BenchDesk) -> list[BenchSocket]:
        return [
            await open_socket(url, await ticket(http, url, desk.key))
            for _ in range(SOCKETS_PER_DESK)
        ]

    return Desks(desks, [await five(desk) for desk in desks])


async def measure(desks: Desks, *, per_second: float, seconds: float, waiting: int) -> SendsFound:
    """Send at a rate (open loop), or with a bound on unanswered sends when the rate is 0."""
    run = _Run(desks, waiting)
    for socket in desks.all_sockets:
        socket.deliveries = 0
        socket.ages = []
    started = time.perf_counter()
    warm = started + WARM_UP_SHARE * seconds
    sent = 0
    while (now := time.perf_counter()) < started + seconds:
        if per_second:
            due = int((now - started) * per_second)
            while sent < due:
                run.send()
                sent += 1
            await asyncio.sleep(0.001)
        else:
            while len(run.unanswered) < waiting:
                run.send()
                sent += 1
            await asyncio.sleep(0)
    answered_in_time = run.acknowledged
    elapsed = time.perf_counter() - started
    await run.settle(sent)
    acks = [age for at, age in run.ack_ages if at >= warm]
    ages = [age for socket in desks.all_sockets for age in (socket.ages or [])]
    deliveries = sum(socket.deliveries for socket in desks.all_sockets)
    return SendsFound(
        wanted_per_second=per_second,
        sent=sent,
        acknowledged_per_second=answered_in_time / elapsed,
        refused=run.refused,
        missing_deliveries=run.acknowledged * SOCKETS_PER_DESK - deliveries,
        ack_p50_millis=percentile(acks, 0.5) * 1e3,
        ack_p99_millis=percentile(acks, 0.99) * 1e3,
        delivery_p50_millis=percentile(ages, 0.5) * 1e3,
        delivery_p99_millis=percentile(ages, 0.99) * 1e3,
    )


class _Run:
    def __init__(self, desks: Desks, waiting: int) -> None:
        self.desks = desks
        self.waiting = waiting
        self.unanswered: dict[int, float] = {}
        self.ack_ages: list[tuple[float, float]] = []
        self.acknowledged = 0
        self.refused = 0
        self.next_ref = 0
        self.dice = random.Random(1)
        for socket in desks.all_sockets:
            socket.on_ack = self.take_ack

    def send(self) -> None:
        self.next_ref += 1
        number = self.dice.randrange(len(self.desks.desks))
        desk = self.desks.desks[number]
        now = time.perf_counter()
        frame = realtime_v1.ClientFrame(
            ref=self.next_ref,
            send_message=messaging_v1.SendMessageRequest(
                conversation_id=self.dice.choice(desk.conversations),
                client_message_id=str(UUID(int=self.dice.getrandbits(128), version=4)),
                text=f"@@{now}|{BODY}",
            ),
        )
        self.unanswered[self.next_ref] = now
        self.dice.choice(self.desks.sockets[number]).send(frame.SerializeToString())

    def take_ack(self, payload: bytes) -> None:
        ack = realtime_v1.ServerFrame.FromString(payload).ack
        sent = self.unanswered.pop(ack.ref, None)
        if sent is None:
            return
        now = time.perf_counter()
        if ack.HasField("sent"):
            self.acknowledged += 1
            self.ack_ages.append((now, now - sent))
        else:
            self.refused += 1

    async def settle(self, sent: int) -> None:
        deadline = time.perf_counter() + SETTLE_SECONDS
        while time.perf_counter() < deadline:
            deliveries = sum(socket.deliveries for socket in self.desks.all_sockets)
            done = self.acknowledged + self.refused >= sent
            if done and deliveries >= self.acknowledged * SOCKETS_PER_DESK:
                return
            await asyncio.sleep(0.02)
