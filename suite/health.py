"""Asks a process whether it is well: gRPC health, an HTTP path, a stored NATS message."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import grpc
import nats
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, StreamConfig

if TYPE_CHECKING:
    from nats.aio.client import Client

ANSWER_SECONDS = 2.0
HTTP_OK = b" 200 "
PROBE_STREAM = "SUITE_PROBE"
PROBE_SUBJECT = "suite.probe"


async def grpc_is_serving(address: str) -> bool:
    """Whether the server there says SERVING."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def http_is_ready(port: int, path: str) -> bool:
    """Whether GET answers 200 there."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(
                    f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
                )
                return HTTP_OK in await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


class NatsProbe:
    """Stores a message now and then, because a server with a full disk still answers questions."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None

    async def is_storing(self) -> bool:
        """Whether a message was stored just now; one stream of one message serves for ever."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._client is None:
                    self._client = await nats.connect(
                        self._url, allow_reconnect=False, error_cb=_ignore
                    )
                    await self._client.jetstream().add_stream(
                        StreamConfig(
                            name=PROBE_STREAM,
                            subjects=[PROBE_SUBJECT],
                            max_msgs=1,
                            discard=DiscardPolicy.OLD,
                        )
                    )
                await self._client.jetstream().publish(PROBE_SUBJECT, b"", timeout=ANSWER_SECONDS)
        except (OSError, TimeoutError, NatsError):
            await self.close()  # connects and creates the stream again next time
            return False
        return True

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client:
            with contextlib.suppress(OSError, TimeoutError, NatsError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await client.close()


async def _ignore(_: Exception) -> None:
    """The publish that failed has told already."""
