"""An asyncio channel whose calls carry the key and a deadline, and are repeated safely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from inbox_client.calls import OPTIONS, Calls, Tls, credentials_for
from inbox_client.channel import errors_read
from inbox_client.errors import InboxError
from inbox_client.methods import method_of


def open_channel(address: str, tls: Tls) -> grpc.aio.Channel:
    """gRPC's own channel to an address."""
    credentials = credentials_for(address, tls)
    if credentials is None:
        return grpc.aio.insecure_channel(address, OPTIONS)
    return grpc.aio.secure_channel(address, credentials, OPTIONS)


class AsyncChannel(grpc.aio.Channel):
    """A grpc.aio.Channel for generated stubs; its calls raise InboxError."""

    def __init__(
        self,
        inner: grpc.aio.Channel,
        calls: Calls,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inner = inner
        self._calls = calls
        self._pause = pause

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel, with retries."""
        called, inner = method_of(method), self._inner.unary_unary(method, *args, **kwargs)

        async def call(
            request: Message, *, timeout: float | None = None, metadata: Any = None, **more: Any
        ) -> Any:
            sent = called.completed(request)
            tries = self._calls.tries(called, timeout)
            shown = self._calls.metadata(metadata)
            while True:
                try:
                    with errors_read(sent):
                        within = tries.seconds_for_this()
                        return await inner(sent, timeout=within, metadata=shown, **more)
                except InboxError as error:
                    pause = tries.pause_after(error)
                await self._pause(pause)

        return call

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        call = self._once(method, self._inner.unary_stream(method, *args, **kwargs))
        return lambda *given, **more: AsyncAnswers(call(*given, **more))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel; give it an iterator of requests."""
        call = self._once(method, self._inner.stream_unary(method, *args, **kwargs))

        async def answered(*given: Any, **more: Any) -> Any:
            with errors_read():
                return await call(*given, **more)

        return answered

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel."""
        call = self._once(method, self._inner.stream_stream(method, *args, **kwargs))
        return lambda *given, **more: AsyncAnswers(call(*given, **more))

    async def close(self, grace: float | None = None) -> None:
        """End the channel and its calls."""
        await self._inner.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """As grpc.aio.Channel."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """As grpc.aio.Channel."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """As grpc.aio.Channel."""
        await self._inner.channel_ready()

    def _once(self, path: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        """A stream is not repeated: only its caller knows what already went through."""
        longest = method_of(path).longest
        latest = None if longest is None else longest.total_seconds()

        def call(
            *given: Any, timeout: float | None = None, metadata: Any = None, **more: Any
        ) -> Any:
            within = latest if timeout is None else timeout
            shown = self._calls.metadata(metadata)
            return inner(*given, timeout=within, metadata=shown, **more)

        return call


class AsyncAnswers:
    """A stream's answers; everything else of the call as gRPC has it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def __aiter__(self) -> AsyncIterator[Any]:
        with errors_read():
            async for answer in self._call:
                yield answer

    async def read(self) -> Any:
        """The next answer, or grpc.aio.EOF. Raises: InboxError."""
        with errors_read():
            return await self._call.read()

    async def write(self, request: Any) -> None:
        """Send a request of a stream. Raises: InboxError."""
        with errors_read():
            await self._call.write(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
