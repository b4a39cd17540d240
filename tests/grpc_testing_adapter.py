"""grpcio-testing for asyncio servicers.

grpcio-testing calls a handler and takes what it returns for the response. Of an asyncio handler
that is a coroutine nobody awaits, and its status is OK: such a test passes whatever the handler
does. This adapter runs each handler on a loop of its own until it is done, as a server would.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Self

import grpc_testing
from google.protobuf.descriptor import ServiceDescriptor

from chassis.errors import Fault
from chassis.rpc import faults

WITHIN_SECONDS = 10.0
DONE = object()
REFUSED = object()


class Adapter:
    """A servicer as grpcio-testing wants it: synchronous, one thread per call."""

    def __init__(self, servicer: Any, service: ServiceDescriptor) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._service = service
        for method in service.methods:
            behaviour = getattr(servicer, method.name)
            wrap = self._many if method.server_streaming else self._one
            setattr(self, method.name, wrap(behaviour, reads_many=method.client_streaming))

    def server(self) -> Any:
        """A grpcio-testing server of this servicer."""
        return grpc_testing.server_from_dictionary(
            {self._service: self}, grpc_testing.strict_real_time()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _one(self, behaviour: Callable[..., Any], *, reads_many: bool) -> Callable[..., Any]:
        def handle(request: Any, context: Any) -> Any:
            given = _asynchronous(request) if reads_many else request
            answer = self._await(behaviour(given, context), context)
            return None if answer is REFUSED else answer

        return handle

    def _many(self, behaviour: Callable[..., Any], *, reads_many: bool) -> Callable[..., Any]:
        def handle(request: Any, context: Any) -> Iterator[Any]:
            responses = behaviour(_asynchronous(request) if reads_many else request, context)
            while True:
                response = self._await(anext(responses, DONE), context)
                if response is DONE or response is REFUSED:
                    return
                yield response

        return handle

    def _await(self, work: Coroutine[Any, Any, Any], context: Any) -> Any:
        if not inspect.isawaitable(work):
            raise TypeError("the handler is not asynchronous")

        async def run() -> Any:
            return await work

        try:
            return asyncio.run_coroutine_threadsafe(run(), self._loop).result(WITHIN_SECONDS)
        except Fault as fault:
            # Its `abort` would leave the details of the error out.
            code, sentence, status = faults.status_of(fault, "test")
            context.set_trailing_metadata(((faults.DETAILS_KEY, status.SerializeToString()),))
            context.set_code(code)
            context.set_details(sentence)
            return REFUSED


async def _asynchronous(requests: Iterator[Any]) -> AsyncIterator[Any]:
    for request in requests:
        yield request
