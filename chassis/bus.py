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
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis import metrics
from chassis.answers import NO_RESPONDERS, Answers, Waiting, status_of
from chassis.bus_connection import Connection
from chassis.bus_faults import BusUnavailable, WrongServer, check_version
from chassis.durability import check_synced
from chassis.logs import log
from chassis.messages import Outgoing, command
from chassis.subscription import Receive, Subscription
from chassis.tasks import pause_after

__all__ = ["REQUEST_WITHIN", "Bus", "BusUnavailable", "Receive", "Subscription", "WrongServer"]

REQUEST_WITHIN = timedelta(seconds=3)
LONGEST_PAUSE = timedelta(seconds=1)


class Bus:
    """The process's connection to NATS."""

    def __init__(self, url: str, *, name: str, monitor_url: str = "") -> None:
        """`url` is `nats://[user:password@]host:port`, several comma separated.

        With `monitor_url` every connection makes sure that the server syncs its writes.
        """
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._name = name
        self._monitor_url = monitor_url
        self._client: Client | None = None
        self._answers = Answers()
        self._subscriptions = {Subscription(self._answers.subject, self._answers.receive)}
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
                    log.warning("bus_unreachable", servers=self._places(), trouble=self.trouble)
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

    async def publish(self, *messages: Outgoing) -> None:
        """Send and forget, in this order; dropped while there is no connection.

        Raises: BusUnavailable.
        """
        await self._send(b"".join([command(message) for message in messages]))

    async def ask(
        self, *messages: Outgoing, within: timedelta = REQUEST_WITHIN
    ) -> list[Msg | None]:
        """Send all at once and wait for an answer to each; None where none came in time.

        Raises: BusUnavailable.
        """
        wanted = len(messages)
        answers = await self._exchange(messages, lambda came: len(came) == wanted, within)
        return [answers[number][0] if number in answers else None for number in range(wanted)]

    async def request(self, message: Outgoing, *, within: timedelta = REQUEST_WITHIN) -> Msg:
        """Send and wait for one answer. Raises: BusUnavailable."""
        (answer,) = await self.ask(message, within=within)
        if answer is None:
            raise BusUnavailable(detail="no answer")
        if status_of(answer) == NO_RESPONDERS:
            raise BusUnavailable(detail="nobody answers")
        return answer

    async def collect(
        self, message: Outgoing, *, within: timedelta = REQUEST_WITHIN
    ) -> tuple[list[Msg], Msg]:
        """Send and gather answers up to the one that only tells a status; also given.

        Raises: BusUnavailable.
        """
        answers = await self._exchange([message], lambda came: bool(status_of(came[0][-1])), within)
        if not answers or not status_of(answers[0][-1]):
            raise BusUnavailable(detail="no complete answer")
        return answers[0][:-1], answers[0][-1]

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

    async def _exchange(
        self,
        messages: Sequence[Outgoing],
        is_complete: Callable[[dict[int, list[Msg]]], bool],
        within: timedelta,
    ) -> dict[int, list[Msg]]:
        waiting = Waiting(is_complete)
        name = self._answers.expect(waiting)
        try:
            commands = [
                command(message, f"{name}-{number}") for number, message in enumerate(messages)
            ]
            await self._send(b"".join(commands))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within.total_seconds()):
                    await waiting.is_over.wait()
        finally:
            self._answers.forget(name)
        return waiting.answers

    async def _send(self, commands: bytes) -> None:
        client = self._connected()
        try:
            # What `publish` does, but for many messages at once, see chassis.messages.
            await client._send_command(commands)  # noqa: SLF001
            await client._flush_pending()  # noqa: SLF001
        except (NatsError, OSError) as error:
            raise BusUnavailable(detail=f"send: {type(error).__name__}") from error
        _be_cancelled()

    def _connected(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise BusUnavailable(detail="not connected")
        return self._client

    async def _live_once(self) -> None:
        connection = Connection()
        await connection.connect(self._servers, self._name)
        client = connection.client
        try:
            check_version(client)
            if self._monitor_url:
                await check_synced(self._monitor_url)
            while missing := [one for one in self._subscriptions if one.client is not client]:
                await missing[0].begin(client)
            # No await since the last look, so nobody subscribed in between.
            self._client, self.trouble = client, None
            self.session += 1
            metrics.BUS_CONNECTED.set(1)
            log.info("bus_connected", servers=self._places(), session=self.session)
            self._signal()
            await connection.end()
            log.warning("bus_lost", servers=self._places(), session=self.session)
            self.trouble = "the connection was lost"
        finally:
            self._client = None
            self._answers.give_up()
            metrics.BUS_CONNECTED.set(0)
            self._signal()
            await connection.close()

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
