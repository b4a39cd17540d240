"""What teams do by gRPC: unary calls from several clients, and a stream of sends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from bench.desks import token_of
from bench.sockets import reason_of, stamped
from chassis.ids import new_id
from inbox.messaging import v1 as messaging_v1

if TYPE_CHECKING:
    from bench.desks import Desk
    from bench.subject import Subject

CLIENTS = 16
BATCH = 64
WINDOW = BATCH * CLIENTS
CALL_SECONDS = 10.0
END_SECONDS = 30.0
TEXT_LENGTH = 140


@dataclass(frozen=True)
class Streamed:
    """What a stream of sends gave."""

    sent: int
    refused: Mapping[str, int]
    """How many, by reason."""
    seconds: float

    @property
    def per_second(self) -> float:
        """Stored messages."""
        return self.sent / self.seconds

    @property
    def faults(self) -> str:
        """What was refused, in words."""
        told = ", ".join(f"{count:,} as {reason}" for reason, count in self.refused.items())
        return f"refused {told}" if told else "none refused"


async def calls_until(deadline: float, call: Callable[[], Awaitable[Any]]) -> int:
    """So many calls were made by 16 clients until then, one at a time each."""
    count = 0

    async def client() -> None:
        nonlocal count
        while time.perf_counter() < deadline:
            await call()
            count += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
    return count


class Team:
    """A program of a team's own, with a desk's key, at messaging itself."""

    def __init__(self, stub: Any, desk: Desk, token: str) -> None:
        self._stub = stub
        self._desk = desk
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._refs = 0

    async def get_thread(self) -> None:
        """One unary call."""
        await self._stub.GetThread(
            messaging_v1.GetThreadRequest(conversation_id=self._desk.conversations[0]),
            metadata=self._metadata,
            timeout=CALL_SECONDS,
        )

    async def send(self, count: int) -> None:
        """So many messages, one after the other."""
        for _ in range(count):
            await self._stub.SendMessage(
                self._next_item().request, metadata=self._metadata, timeout=CALL_SECONDS
            )

    async def stream(self, seconds: float) -> Streamed:
        """One stream of batches, with a bounded number of messages under way."""
        window = asyncio.Semaphore(WINDOW)
        began = time.perf_counter()
        sent = 0
        refused: Counter[str] = Counter()

        async def batches() -> AsyncIterator[messaging_v1.SendMessagesRequest]:
            while time.perf_counter() < began + seconds:
                for _ in range(BATCH):
                    await window.acquire()
                yield messaging_v1.SendMessagesRequest(
                    items=[self._next_item() for _ in range(BATCH)]
                )

        call = self._stub.SendMessages(
            batches(), metadata=self._metadata, timeout=seconds + END_SECONDS
        )
        async for answer in call:
            for result in answer.results:
                window.release()
                if result.HasField("sent"):
                    sent += 1
                else:
                    refused[reason_of(result.error)] += 1
        return Streamed(sent, refused, time.perf_counter() - began)

    def _next_item(self) -> messaging_v1.SendMessagesItem:
        self._refs += 1
        conversations = self._desk.conversations
        return messaging_v1.SendMessagesItem(
            ref=self._refs,
            request=messaging_v1.SendMessageRequest(
                conversation_id=conversations[self._refs % len(conversations)],
                client_message_id=new_id(),
                text=stamped(TEXT_LENGTH),
            ),
        )


@asynccontextmanager
async def team(subject: Subject, desk: Desk) -> AsyncIterator[Team]:
    """For the length of a block."""
    token = await token_of(subject, desk)
    async with grpc.aio.insecure_channel(subject.address_of("messaging")) as channel:
        yield Team(messaging_v1.MessagingServiceStub(channel), desk, token)
