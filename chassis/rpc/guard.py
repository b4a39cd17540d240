"""What stands around every handler: who may come in, and what an error becomes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache

import grpc
from google.rpc.status_pb2 import Status
from prometheus_client import Histogram

from chassis import metrics, tracing
from chassis.auth import Role, current_caller
from chassis.clock import Clock
from chassis.limits import RateLimit
from chassis.logs import log
from chassis.policy import Policy
from chassis.rpc import faults
from chassis.rpc.authentication import AUTHORIZATION, SERVICE_KEY_PREFIX, Authenticator
from chassis.rpc.call import (
    REQUEST_ID,
    REQUEST_ID_FORMAT,
    Call,
    Context,
    DeadlineRequired,
    current_call,
)

DEADLINE_LEEWAY = timedelta(seconds=2)
"""A deadline travels as time left, so a slow clock or link may add a little."""
SWALLOW_WITHIN = timedelta(seconds=5)
MAX_SWALLOWED_BYTES = 32 * 1024 * 1024
"""What a refused upload may still send before its call is ended anyway."""


class Guard:
    """Everything that stands around each call."""

    def __init__(self, *, authenticator: Authenticator, limit: RateLimit, clock: Clock) -> None:
        self.authenticator = authenticator
        self.clock = clock
        self.draining = asyncio.Event()
        self._limit = limit

    def call(
        self,
        path: str,
        policy: Policy,
        context: Context,
        unread: AsyncIterator[bytes] | None = None,
    ) -> AroundCall:
        """Let a call in, or end it with a typed error: for the length of a block.

        `unread` is what a client still uploads.
        """
        return AroundCall(self, self._begin(path, policy, context), context, unread)

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
        began = self.clock.monotonic()
        call = Call(
            path=path,
            policy=policy,
            metadata=metadata,
            peer=context.peer().rpartition(":")[0],
            request_id=given if REQUEST_ID_FORMAT.fullmatch(given) else trace.trace_id,
            began=began,
            deadline=None if left is None else began + left,
            guard=self,
        )
        current_call.set(call)
        return call

    async def admit(self, call: Call) -> None:
        """Whether it may come in. Raises: DeadlineRequired, Unauthenticated, RoleNotAllowed …"""
        longest = call.policy.longest
        if longest is not None and (
            call.deadline is None
            or call.deadline - call.began > (longest + DEADLINE_LEEWAY).total_seconds()
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

    def judge(self, call: Call, error: BaseException) -> tuple[grpc.StatusCode, str, Status]:
        """The status an error becomes, once it is logged and counted."""
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


class AroundCall:
    """`async with`: what happens before a handler, and after it however it ends."""

    __slots__ = ("_call", "_context", "_guard", "_unread")

    def __init__(
        self, guard: Guard, call: Call, context: Context, unread: AsyncIterator[bytes] | None
    ) -> None:
        self._guard = guard
        self._call = call
        self._context = context
        self._unread = unread

    async def __aenter__(self) -> Call:
        metrics.RPC_UNDER_WAY.inc()
        try:
            await self._guard.admit(self._call)
        except BaseException as error:
            await self._leave(error)
            raise
        return self._call

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        await self._leave(error)

    async def _leave(self, error: BaseException | None) -> None:
        code = grpc.StatusCode.OK if error is None else grpc.StatusCode.CANCELLED
        try:
            if isinstance(error, grpc.aio.AbortError):
                code = self._context.code()
            elif isinstance(error, Exception):
                # Here every kind of error becomes a status; the abort raises.
                code, sentence, status = self._guard.judge(self._call, error)
                details = (faults.DETAILS_KEY, status.SerializeToString())
                request_id = (REQUEST_ID, self._call.request_id)
                if self._unread is not None:
                    await _swallow(self._unread)
                await self._context.abort(code, sentence, (details, request_id))
        finally:
            path = self._call.path
            took = self._guard.clock.monotonic() - self._call.began
            metrics.RPC_UNDER_WAY.dec()
            duration_of(path, code.name).observe(took)
            log.debug("rpc_ended", method=path, code=code.name, duration_ms=round(took * 1e3, 2))


@cache
def duration_of(path: str, code: str) -> Histogram:
    """The metric of one method and code; finding it by its labels takes longer than counting."""
    return metrics.RPC_DURATION.labels(path, code)


async def _swallow(requests: AsyncIterator[bytes]) -> None:
    """Read on, within bounds: a client that writes into an ended call never hears why it ended."""
    left = MAX_SWALLOWED_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SWALLOW_WITHIN.total_seconds()):
            async for raw in requests:
                left -= len(raw)
                if left < 0:
                    return
