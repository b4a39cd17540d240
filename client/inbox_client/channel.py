"""A synchronous channel whose calls carry the key and a deadline, and are repeated safely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from inbox_client.calls import OPTIONS, Calls, Tls, credentials_for
from inbox_client.errors import InboxError, error_of
from inbox_client.methods import Method, method_of


def open_channel(address: str, tls: Tls) -> grpc.Channel:
    """gRPC's own channel to an address."""
    credentials = credentials_for(address, tls)
    if credentials is None:
        return grpc.insecure_channel(address, OPTIONS)
    return grpc.secure_channel(address, credentials, OPTIONS)


class Channel(grpc.Channel):
    """A grpc.Channel for generated stubs; its calls raise InboxError."""

    def __init__(
        self, inner: grpc.Channel, calls: Calls, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._inner = inner
        self._calls = calls
        self._pause = pause

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.Channel, with retries."""
        inner = self._inner.unary_unary(method, *args, **kwargs)
        return Repeated(method_of(method), inner, self._calls, self._pause)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.Channel."""
        call = self._once(method, self._inner.unary_stream(method, *args, **kwargs))
        return lambda *given, **more: Answers(call(*given, **more))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.Channel."""
        return self._once(method, self._inner.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As grpc.Channel."""
        call = self._once(method, self._inner.stream_stream(method, *args, **kwargs))
        return lambda *given, **more: Answers(call(*given, **more))

    def subscribe(self, *args: Any, **kwargs: Any) -> None:
        """As grpc.Channel."""
        self._inner.subscribe(*args, **kwargs)

    def unsubscribe(self, callback: Any) -> None:
        """As grpc.Channel."""
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        """End the channel and its calls."""
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, path: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        """A stream is not repeated: only its caller knows what already went through."""
        longest = method_of(path).longest
        latest = None if longest is None else longest.total_seconds()

        def call(
            request: Any, timeout: float | None = None, metadata: Any = None, **more: Any
        ) -> Any:
            within = latest if timeout is None else timeout
            with errors_read():
                return inner(
                    request, timeout=within, metadata=self._calls.metadata(metadata), **more
                )

        return call


class Repeated:
    """One method: the same request again, until it is answered or its tries are used up."""

    def __init__(
        self,
        method: Method,
        inner: Any,
        calls: Calls,
        pause: Callable[[float], None],
    ) -> None:
        self._method = method
        self._inner = inner
        self._calls = calls
        self._pause = pause

    def __call__(self, request: Message, *args: Any, **kwargs: Any) -> Any:
        """The response. Raises: InboxError."""
        response, _ = self.with_call(request, *args, **kwargs)
        return response

    def with_call(
        self, request: Message, timeout: float | None = None, metadata: Any = None, **more: Any
    ) -> tuple[Any, grpc.Call]:
        """The response, and the call that brought it. Raises: InboxError."""
        sent = self._method.completed(request)
        tries = self._calls.tries(self._method, timeout)
        shown = self._calls.metadata(metadata)
        while True:
            try:
                with errors_read(sent):
                    within = tries.seconds_for_this()
                    response, call = self._inner.with_call(
                        sent, timeout=within, metadata=shown, **more
                    )
                    return response, call
            except InboxError as error:
                pause = tries.pause_after(error)
            self._pause(pause)

    def future(self, *args: Any, **kwargs: Any) -> Any:
        """Not offered: a future of gRPC's could not be tried again."""
        raise NotImplementedError("call it in a thread, or use AsyncInbox")


class Answers:
    """A stream's answers; everything else of the call as gRPC has it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        with errors_read():
            return next(self._call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


@contextmanager
def errors_read(request: Message | None = None) -> Iterator[None]:
    """gRPC's errors become InboxErrors."""
    try:
        yield
    except grpc.RpcError as error:
        raise error_of(error, request) from error
