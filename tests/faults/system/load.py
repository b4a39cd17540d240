"""Senders, watchers and the checker of the big fault tests, in Jepsen's words.

acknowledged: the API said yes. lost: acknowledged but not there. unexpected: there but never sent.
duplicated: one send, two messages. order breaks: seq is not 1..n, or two readers disagree.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import aiohttp
import grpc

from inbox.messaging import v1 as messaging_v1
from tests.connect_client import ConnectClient
from tests.live_client import whole_history

WEB_CHAT = "inbox.messaging.v1.WebChatService"
TRY_SECONDS = 4.0
IMPATIENT_SECONDS = (0.003, 0.005, 0.008, 0.012, TRY_SECONDS)
GIVE_UP_SECONDS = 60.0


@dataclass
class Ledger:
    """What was asked for and what was answered."""

    acknowledged: dict[str, tuple[str, int]] = field(default_factory=dict)
    """client_message_id → (conversation, seq)."""
    asked: set[str] = field(default_factory=set)
    """Every intention to send, by the text that carries it."""
    acknowledged_texts: set[str] = field(default_factory=set)
    retries: int = 0
    replayed: int = 0
    given_up: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    acknowledged_at: list[float] = field(default_factory=list)


@dataclass
class Verdict:
    """What the checker found."""

    lost: list[str]
    duplicated: list[str]
    unexpected: list[str]
    order_breaks: list[str]

    @property
    def is_clean(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.duplicated or self.unexpected or self.order_breaks)

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)} {self.lost[:3]}, duplicated {len(self.duplicated)} "
            f"{self.duplicated[:3]}, unexpected {len(self.unexpected)} {self.unexpected[:3]}, "
            f"order breaks {len(self.order_breaks)} {self.order_breaks[:3]}"
        )


async def open_conversations(
    http: aiohttp.ClientSession, url: str, channel_id: str, count: int
) -> list[str]:
    """As many customers write their first message."""
    conversations: list[str] = []
    for number in range(count):
        opened = await ConnectClient(http, url).call(
            f"{WEB_CHAT}/OpenSession",
            messaging_v1.OpenSessionRequest(
                channel_id=channel_id, display_name=f"Customer {number}"
            ),
            messaging_v1.OpenSessionResponse,
        )
        await ConnectClient(http, url, opened.access_token).call(
            f"{WEB_CHAT}/PostMessage",
            messaging_v1.PostMessageRequest(
                client_message_id=str(UUID(int=random.getrandbits(128), version=4)),
                text=f"first {number}",
            ),
            messaging_v1.PostMessageResponse,
        )
        conversations.append(opened.conversation_id)
    return conversations


@dataclass
class Sender:
    """One team's program: sends, and repeats a send until it has an answer."""

    stub: messaging_v1.MessagingServiceStub
    key: str
    conversations: list[str]
    ledger: Ledger
    dice: random.Random
    name: str
    fresh_id_for_each_try: bool = False
    """The negative control: a client that does not keep its request id."""
    is_impatient: bool = False
    """Gives many tries up so early that nobody knows whether they were stored."""

    async def run(self, enough: asyncio.Event, pause: float) -> None:
        """Send until it is enough."""
        number = 0
        while not enough.is_set():
            number += 1
            await self.send(f"{self.name}-{number}")
            await asyncio.sleep(self.dice.random() * 2 * pause)

    async def send(self, text: str) -> None:
        """One message, however often it takes."""
        conversation_id = self.dice.choice(self.conversations)
        client_message_id = self._fresh_id()
        self.ledger.asked.add(text)
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = await self.stub.SendMessage(
                    messaging_v1.SendMessageRequest(
                        conversation_id=conversation_id,
                        client_message_id=client_message_id,
                        text=text,
                    ),
                    timeout=self._patience(),
                    metadata=(("authorization", f"Bearer {self.key}"),),
                )
            except grpc.aio.AioRpcError as error:
                self.ledger.retries += 1
                self.ledger.errors[f"{error.code().name}: {(error.details() or '')[:60]}"] += 1
                await asyncio.sleep(0.02 + self.dice.random() * 0.2)
                if self.fresh_id_for_each_try:
                    client_message_id = self._fresh_id()
                continue
            self.ledger.replayed += answer.replayed
            self.ledger.acknowledged[client_message_id] = (conversation_id, answer.message.seq)
            self.ledger.acknowledged_texts.add(text)
            self.ledger.acknowledged_at.append(time.monotonic())
            return
        self.ledger.given_up += 1

    def _patience(self) -> float:
        return self.dice.choice(IMPATIENT_SECONDS) if self.is_impatient else TRY_SECONDS

    def _fresh_id(self) -> str:
        return str(UUID(int=self.dice.getrandbits(128), version=4))


async def check(connect: ConnectClient, conversations: list[str], ledger: Ledger) -> Verdict:
    """Read everything back and compare it with what was promised."""
    found: dict[str, tuple[str, int]] = {}
    texts: Counter[str] = Counter()
    order_breaks: list[str] = []
    for conversation_id in conversations:
        history = list(reversed(await whole_history(connect, conversation_id)))
        if [message.seq for message in history] != list(range(1, len(history) + 1)):
            order_breaks.append(conversation_id)
        for message in history:
            if message.direction == messaging_v1.MESSAGE_DIRECTION_OUTBOUND:
                found[message.client_message_id] = (conversation_id, message.seq)
                texts[message.text] += 1
    return Verdict(
        lost=[key for key, where in ledger.acknowledged.items() if found.get(key) != where],
        duplicated=[text for text, count in texts.items() if count > 1],
        unexpected=[text for text in texts if text not in ledger.asked],
        order_breaks=order_breaks,
    )
