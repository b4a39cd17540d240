"""Serving RPCs: every handler wrapped once, at start, in what all of them need.

Around each call: trace, deadline, credential, policy, rate, size, reading and writing protobuf,
faults as statuses, one log line, one metric. grpc.aio's interceptors would repeat the look-up for
each call and leave decoding outside, where malformed bytes become UNKNOWN; so the wrapping is done
on the handlers, and grpc only ever sees bytes.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import grpc
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError, EncodeError, Message

from chassis.errors import FieldInvalid, InvalidArgument
from chassis.policy import Policy, policies_of
from chassis.requests import no_nul
from chassis.rpc.call import Context
from chassis.rpc.guard import Guard

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_RECEIVED_BYTES = 2 * MAX_MESSAGE_BYTES
"""What grpc itself cuts off; up to here the refusal carries our reason."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Servicer = TypeVar("Servicer")


@dataclass(eq=False)
class MessageTooLarge(InvalidArgument):
    """A request message is larger than allowed."""

    size_bytes: int
    max_bytes: int = MAX_MESSAGE_BYTES
    reason = "TOO_LARGE"

    def __str__(self) -> str:
        return f"the message has {self.size_bytes} bytes; at most {self.max_bytes} are allowed"


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC and how to read and write its messages."""

    path: str
    policy: Policy
    behaviour: Callable[..., Any]
    parse: Callable[[bytes], Message]
    dump: Callable[[Any], bytes]

    def read(self, raw: bytes) -> Message:
        """Raises: MessageTooLarge, FieldInvalid."""
        if len(raw) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(size_bytes=len(raw))
        try:
            message = self.parse(raw)
        except (DecodeError, RecursionError):
            raise FieldInvalid(field="request", rule="must be valid protobuf") from None
        if b"\x00" in raw:
            no_nul(message)
        return message

    def write(self, message: Any) -> bytes:
        """Serialise a response."""
        try:
            return self.dump(message)
        except EncodeError as error:
            raise TypeError(f"{self.path} gave a {type(message).__name__}") from error


class Registrar:
    """Takes servicers as generated code registers them, and makes wrapped handlers of them."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._handlers: dict[str, Handler] = {}
        self.service_names: list[str] = []

    def add(
        self, add_to_server: Callable[[Servicer, grpc.aio.Server], None], servicer: Servicer
    ) -> None:
        """Register a servicer by its generated function.

        Raises: PolicyMissing, when one of its methods has no policy.
        """
        add_to_server(servicer, cast("grpc.aio.Server", self))

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Called by generated code; the registered handlers say the same."""

    def add_registered_method_handlers(
        self, service_name: str, handlers: dict[str, Handler]
    ) -> None:
        """Called by generated code."""
        policies = policies_of(Default().FindServiceByName(service_name))
        for name, handler in handlers.items():
            path = f"/{service_name}/{name}"
            method = Method(
                path=path,
                policy=policies[name],
                behaviour=_behaviour(handler),
                parse=cast("Callable[[bytes], Message]", handler.request_deserializer),
                dump=cast("Callable[[Any], bytes]", handler.response_serializer),
            )
            self._handlers[path] = wrap(method, handler, self._guard)
        self.service_names.append(service_name)

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a grpc.aio server is given, last of all: it answers for every path."""
        return _Handlers(self._handlers, self._guard)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, handlers: dict[str, Handler], guard: Guard) -> None:
        self._handlers = handlers
        self._unknown: Handler = grpc.stream_stream_rpc_method_handler(guard.refuse_unknown)

    def service(self, details: grpc.HandlerCallDetails) -> Handler:
        return self._handlers.get(details.method, self._unknown)


def _behaviour(handler: Handler) -> Callable[..., Any]:
    behaviour = (
        handler.stream_stream or handler.stream_unary or handler.unary_stream or handler.unary_unary
    )
    if handler.response_streaming != inspect.isasyncgenfunction(behaviour):
        kind = "generator" if handler.response_streaming else "function"
        raise TypeError(f"{behaviour} must be an async {kind}")
    return cast("Callable[..., Any]", behaviour)


def wrap(method: Method, handler: Handler, guard: Guard) -> Handler:
    """The same method from bytes to bytes, with everything around it."""

    async def unary_unary(request: bytes, context: Context) -> bytes:
        async with guard.call(method.path, method.policy, context):
            return method.write(await method.behaviour(method.read(request), context))

    async def unary_stream(request: bytes, context: Context) -> None:
        async with guard.call(method.path, method.policy, context) as call:
            responses = method.behaviour(method.read(request), context)
            await call.while_allowed(_send_all(method, responses, context))

    async def stream_unary(requests: AsyncIterator[bytes], context: Context) -> bytes:
        async with (
            guard.call(method.path, method.policy, context, unread=requests),
            aclosing(_read_all(method, requests)) as messages,
        ):
            return method.write(await method.behaviour(messages, context))

    async def stream_stream(requests: AsyncIterator[bytes], context: Context) -> None:
        async with (
            guard.call(method.path, method.policy, context) as call,
            aclosing(_read_all(method, requests)) as messages,
        ):
            responses = method.behaviour(messages, context)
            await call.while_allowed(_send_all(method, responses, context))

    if handler.request_streaming and handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(stream_stream)
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(stream_unary)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(unary_stream)
    return grpc.unary_unary_rpc_method_handler(unary_unary)


async def _read_all(method: Method, requests: AsyncIterator[bytes]) -> AsyncGenerator[Message]:
    async for raw in requests:
        yield method.read(raw)


async def _send_all(method: Method, responses: Any, context: Context) -> None:
    async with aclosing(responses):
        async for response in responses:
            await context.write(method.write(response))
