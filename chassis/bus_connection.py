"""One connection to NATS: nats-py's client without its reconnecting, and a sure word of its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from chassis import metrics

CONNECT_WITHIN = timedelta(seconds=3)
PING_EVERY = timedelta(seconds=2)
PINGS_UNANSWERED = 2
LOOK_EVERY = timedelta(seconds=1)


class Connection:
    """Made by `connect`; used once."""

    def __init__(self) -> None:
        self.client = Client()
        self._closed = asyncio.Event()

    async def connect(self, servers: Sequence[str], name: str) -> None:
        """Raises: NatsError, OSError."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
                await self.client.connect(
                    list(servers),
                    name=name,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=int(CONNECT_WITHIN.total_seconds()),
                    ping_interval=int(PING_EVERY.total_seconds()),
                    max_outstanding_pings=PINGS_UNANSWERED,
                    error_cb=self._note_error,
                    closed_cb=self._note_end,
                )
        except BaseException:
            await self.close()
            raise

    async def end(self) -> None:
        """Return once it has ended.

        nats-py tells so, except when the socket breaks under what it still had to write: then
        its clean-up fails before the word is given, and only its state knows.
        """
        while self.client.is_connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY.total_seconds()):
                    await self._closed.wait()

    async def close(self) -> None:
        """End it, within a bound, and leave nothing of it behind."""
        await self._clean_up()
        if not self._closed.is_set():
            # It broke off at what was still to be written; without that it comes to its end.
            self.client._pending.clear()  # noqa: SLF001
            self.client._pending_data_size = 0  # noqa: SLF001
            self.client._status = Client.DISCONNECTED  # noqa: SLF001
            await self._clean_up()

    async def _clean_up(self) -> None:
        with contextlib.suppress(NatsError, OSError):
            async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
                await self.client.close()

    async def _note_end(self) -> None:
        self._closed.set()

    async def _note_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            metrics.BUS_DROPPED.inc()
