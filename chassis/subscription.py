"""One receiver of one NATS subject, over all sessions of the bus."""

from __future__ import annotations

from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

MAX_WAITING_BYTES = 64 * 2**20
"""What may wait for a receiver; above that messages are dropped and counted."""

Receive = Callable[[Msg], None]


class Subscription:
    """One receiver of one subject, over all sessions."""

    def __init__(self, subject: str, receive: Receive) -> None:
        self.subject = subject
        self.client: Client | None = None
        """The session it was begun in."""
        self._receive = receive
        self._live: NatsSubscription | None = None

    async def begin(self, client: Client) -> None:
        """Receive in this session."""
        self.client = client

        async def call(message: Msg) -> None:
            self._receive(message)

        live = await client.subscribe(self.subject, cb=call, pending_bytes_limit=MAX_WAITING_BYTES)
        if self.client is client:
            self._live = live

    async def end(self) -> None:
        """Receive no more."""
        live, self._live, self.client = self._live, None, None
        if live is not None:
            await live.unsubscribe()
