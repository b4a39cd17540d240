"""NATS: one connection per process that is made again whenever it ends.

nats-py's own reconnecting is not used: it sends what was buffered for the old connection into the
new one, and gives no moment at which everything can be set up afresh. Here each connection is a
session of its own; subscriptions are made again in every one, requests under way fail.

    bus = Bus(url, name="messaging")
    process.supervise("bus", bus.run)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from chassis import metrics
from chassis.bus_faults import BusUnavailable, WrongServer, check_version
from chassis.logs import log
from chassis.tasks import pause_after

__all__ = ["REQUEST_WITHIN", "Bus", "BusUnavailable", "Receive", "Subscription", "WrongServer"]

CONNECT_WITHIN = timedelta(seconds=3)
REQUEST_WITHIN = timedelta(seconds=3)
PING_EVERY = timedelta(seconds=2)
PINGS_UNANSWERED = 2
LONGEST_PAUSE = timedelta(seconds=1)
MAX_WAITING_BYTES = 64 * 2**20
"""What a subscription may have waiting; above that messages are dropped and counted."""

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


class Bus:
    """The process's connection to NATS."""

    def __init__(self, url: str, *, name: str) -> None:
        """`url` is `nats://[user:password@]host:port`, several comma separated."""
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._name = name
        self._client: Client | None = None
        self._subscriptions: set[Subscription] = set()
        self._changed = asyncio.Event()
        self.session = 0
        """Counts connections, so that one can be told from the next."""
        self.trouble: str | None = "not connected yet"
        """What is wrong, for readiness; None while connected."""

    async def run(self) -> None:
        """Stay connected for ever."""
        failures = 0
        while True:
            try:
                await self._live_once()
                failures = 0
            except (NatsError, OSError, WrongServer) as error:
                self.trouble = f"{type(error).__name__}: {error}" if str(error) else repr(error)
                failures += 1
                if failures == 1 or isinstance(error, WrongServer):
                    log.warning("bus_unreachable", servers=self._places(), exc_info=error)
            await asyncio.sleep(pause_after(failures + 1, longest=LONGEST_PAUSE).total_seconds())

    @property
    def is_connected(self) -> bool:
        """Whether messages can leave now."""
        return self._client is not None and self._client.is_connected

    async def wait_connected(self) -> int:
        """Wait for a connection; returns its number."""
        while not self.is_connected:
            await self._changed.wait()
        return self.session

    async def publish(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send and forget; dropped while there is no connection. Raises: BusUnavailable."""
        try:
            await self._connected().publish(subject, payload, headers=headers)
        except (NatsError, OSError) as error:
            raise BusUnavailable(detail=f"publish: {type(error).__name__}") from error
        _be_cancelled()

    async def request(
        self,
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None = None,
        *,
        within: timedelta = REQUEST_WITHIN,
    ) -> Msg:
        """Send and wait for one answer. Raises: BusUnavailable."""
        try:
            answer = await self._connected().request(
                subject, payload, timeout=within.total_seconds(), headers=headers
            )
        except (NatsError, OSError) as error:
            raise BusUnavailable(detail=f"request: {type(error).__name__}") from error
        _be_cancelled()
        return answer

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        """Call `receive`, quick and infallible, with every message of a subject, in every session.

        Messages sent while there is no connection are lost: whoever needs each one has a way to
        see the hole.
        """
        subscription = Subscription(subject, receive)
        self._subscriptions.add(subscription)
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(NatsError, OSError):  # the next session subscribes again
                await subscription.begin(self._client)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Stop receiving."""
        self._subscriptions.discard(subscription)
        with contextlib.suppress(NatsError, OSError):
            await subscription.end()

    def new_inbox(self) -> str:
        """A subject that nobody else uses, for answers."""
        return self._connected().new_inbox()

    async def publish_from(self, subject: str, payload: bytes, answers_to: str) -> None:
        """Send a request whose answers come to a subscribed subject. Raises: BusUnavailable."""
        try:
            await self._connected().publish(subject, payload, reply=answers_to)
        except (NatsError, OSError) as error:
            raise BusUnavailable(detail=f"publish: {type(error).__name__}") from error

    def _connected(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise BusUnavailable(detail="not connected")
        return self._client

    async def _live_once(self) -> None:
        client, ended = await self._connect()
        try:
            check_version(client)
            while missing := [one for one in self._subscriptions if one.client is not client]:
                await missing[0].begin(client)
            # No await since the last look, so nobody subscribed in between.
            self._client, self.trouble = client, None
            self.session += 1
            metrics.BUS_CONNECTED.set(1)
            log.info("bus_connected", servers=self._places(), session=self.session)
            self._signal()
            await ended.wait()
            log.warning("bus_lost", servers=self._places(), session=self.session)
            self.trouble = "the connection was lost"
        finally:
            self._client = None
            metrics.BUS_CONNECTED.set(0)
            self._signal()
            with contextlib.suppress(NatsError, OSError):
                async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
                    await client.close()

    async def _connect(self) -> tuple[Client, asyncio.Event]:
        ended = asyncio.Event()

        async def note_end() -> None:
            ended.set()

        async def note_error(error: Exception) -> None:
            if isinstance(error, SlowConsumerError):
                metrics.BUS_DROPPED.inc()

        client = Client()
        try:
            async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
                await client.connect(
                    self._servers,
                    name=self._name,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=int(CONNECT_WITHIN.total_seconds()),
                    ping_interval=int(PING_EVERY.total_seconds()),
                    max_outstanding_pings=PINGS_UNANSWERED,
                    error_cb=note_error,
                    closed_cb=note_end,
                )
        except BaseException:
            with contextlib.suppress(NatsError, OSError):
                await client.close()
            raise
        return client, ended

    def _signal(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _places(self) -> list[str]:
        """The servers without their credentials."""
        return [urlsplit(server).netloc.rpartition("@")[2] for server in self._servers]


def _be_cancelled() -> None:
    """nats-py swallows a cancellation that arrives while it flushes; deliver it here."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
