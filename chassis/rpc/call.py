"""One call being served: what is checked before its handler, and what is told after it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc

from chassis import metrics, tracing
from chassis.auth import Caller, Role, current_caller
from chassis.clock import Clock
from chassis.errors import InvalidArgument, TemporarilyUnavailable
from chassis.limits import RateLimit
from chassis.logs import log
from chassis.policy import Policy
from chassis.rpc import faults
from chassis.rpc.authentication import AUTHORIZATION, SERVICE_KEY_PREFIX, Authenticator

Context = grpc.aio.ServicerContext[Any, Any]

REQUEST_ID = "x-request-id"
REQUEST_ID_FORMAT = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEADLINE_LEEWAY = timedelta(seconds=2)
"""A deadline travels as time left, so a slow clock or link may add a little."""
CHECK_STREAMS_EVERY = timedelta(seconds=2)
"""A stream of a credential that ended is closed within 5 seconds of its end."""

SWALLOW_WITHIN = timedelta(seconds=5)
MAX_SWALLOWED_BYTES = 32 * 1024 * 1024
"""What a refused upload may still send before its call is ended anyway."""
SPREAD_OF_GOODBYES = timedelta(seconds=2)


@dataclass(eq=False)
class DeadlineRequired(InvalidArgument):
    """A call without an end could wait for ever."""

    max_seconds: int
    reason = "DEADLINE_REQUIRED"

    def __str__(self) -> str:
        return f"set a deadline of at most {self.max_seconds} seconds on the call"


@dataclass(slots=True)
class Call:
    """What is known of the call this task serves."""

    path: str
    policy: Policy
    metadata: dict[str, str]
    peer: str
    request_id: str
    deadline: float | None
    """When it ends, on the monotonic clock; None for an endless stream."""
    guard: Guard = field(repr=False)
    caller: Caller | None = None

    async def while_allowed(self, work: Coroutine[Any, Any, None]) -> None:
        """Serve a stream for as long as its credential is good.

        Raises: Unauthenticated, PermissionDenied, once it is not.
        """
        if self.caller is None or self.deadline is not None:
            await work
            return
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._keep_checking())
            await work
            watch.cancel()

    async def _keep_checking(self) -> None:
        while not await self.guard.drains_within(CHECK_STREAMS_EVERY):
            self.policy.check(await self.guard.authenticator.caller_of(self.metadata))
        # All streams at once would come back all at once, to the same neighbour.
        await self.guard.clock.sleep(SPREAD_OF_GOODBYES * random.random())  # noqa: S311
        raise TemporarilyUnavailable(part="this replica, which restarts,")


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""Set for the task of every handler."""


class Guard:
    """Everything that stands around each call."""

    def __init__(self, *, authenticator: Authenticator, limit: RateLimit, clock: Clock) -> None:
        self.authenticator = authenticator
        self.clock = clock
        self.draining = asyncio.Event()
        self._limit = limit

    @asynccontextmanager
    async def call(
        self,
        path: str,
        policy: Policy,
        context: Context,
        unread: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[Call]:
        """Let a call in, or end it with a typed error; `unread` is what a client still uploads."""
        began = self.clock.monotonic()
        call = self._begin(path, policy, context)
        code = grpc.StatusCode.CANCELLED
        metrics.RPC_UNDER_WAY.inc()
        try:
            await self._admit(call, context)
            yield call
            code = grpc.StatusCode.OK
        except grpc.aio.AbortError:
            code = context.code()
            raise
        except Exception as error:  # noqa: BLE001 - here every kind of error becomes a status
            code, sentence, status = self._judge(call, error)
            details = (faults.DETAILS_KEY, status.SerializeToString())
            if unread is not None:
                await _swallow(unread)
            await context.abort(code, sentence, (details, (REQUEST_ID, call.request_id)))
        finally:
            metrics.RPC_UNDER_WAY.dec()
            took = self.clock.monotonic() - began
            metrics.RPC_DURATION.labels(path, code.name).observe(took)
            log.debug("rpc_ended", method=path, code=code.name, duration_ms=round(took * 1e3, 2))

    async def drains_within(self, span: timedelta) -> bool:
        """Wait that long, or until this process begins to drain."""
        try:
            async with asyncio.timeout(span.total_seconds()):
                await self.draining.wait()
        except TimeoutError:
            return False
        return True

    async def refuse_unknown(self, requests: object, context: Context) -> None:
        """Answer for a method that nobody serves."""
        del requests
        _, sentence, status = faults.status_of(faults.MethodNotFound(), "")
        metrics.RPC_REFUSED.labels("METHOD_NOT_FOUND").inc()
        details = (faults.DETAILS_KEY, status.SerializeToString())
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, sentence, (details,))

    def _begin(self, path: str, policy: Policy, context: Context) -> Call:
        metadata = {
            key: value
            for key, value in context.invocation_metadata() or ()
            if isinstance(value, str)
        }
        trace = tracing.enter(metadata.get(tracing.HEADER))
        given = metadata.get(REQUEST_ID, "")
        left = context.time_remaining()
        call = Call(
            path=path,
            policy=policy,
            metadata=metadata,
            peer=context.peer().rpartition(":")[0],
            request_id=given if REQUEST_ID_FORMAT.fullmatch(given) else trace.trace_id,
            deadline=None if left is None else self.clock.monotonic() + left,
            guard=self,
        )
        current_call.set(call)
        return call

    async def _admit(self, call: Call, context: Context) -> None:
        longest = call.policy.longest
        left = context.time_remaining()
        if longest is not None and (
            left is None or left > (longest + DEADLINE_LEEWAY).total_seconds()
        ):
            raise DeadlineRequired(max_seconds=int(longest.total_seconds()))
        if call.policy.anonymous:
            # Nobody has to say who they are, but a process of ours may.
            if SERVICE_KEY_PREFIX in call.metadata.get(AUTHORIZATION, ""):
                call.caller = await self.authenticator.caller_of(call.metadata)
        else:
            call.caller = await self.authenticator.caller_of(call.metadata)
            call.policy.check(call.caller)
        current_caller.set(call.caller)
        self._count(call)

    def _count(self, call: Call) -> None:
        caller = call.caller
        if caller is None:
            self._limit.take(call.peer, call.path)
        elif caller.role is not Role.SERVICE or caller.credential_id:
            self._limit.take(caller.workspace_id or "", caller.id, call.path)

    def _judge(self, call: Call, error: Exception) -> Any:
        fault = faults.fault_in(error)
        about = {
            "method": call.path,
            "request_id": call.request_id,
            "workspace_id": call.caller.workspace_id if call.caller else None,
            "caller_id": call.caller.id if call.caller else None,
        }
        if fault is None or faults.code_of(fault) is grpc.StatusCode.INTERNAL:
            log.error("rpc_failed", **about, exc_info=error)
            metrics.RPC_REFUSED.labels("INTERNAL").inc()
            return faults.internal(call.request_id)
        log.info("rpc_refused", **about, reason=fault.reason)
        metrics.RPC_REFUSED.labels(fault.reason).inc()
        return faults.status_of(fault, call.request_id)


async def _swallow(requests: AsyncIterator[bytes]) -> None:
    """Read on, within bounds: a client that writes into an ended call never hears why it ended."""
    left = MAX_SWALLOWED_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SWALLOW_WITHIN.total_seconds()):
            async for raw in requests:
                left -= len(raw)
                if left < 0:
                    return
