"""One call being served: what its handler, and the calls it makes in turn, can know of it."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc

from chassis.auth import Caller
from chassis.errors import InvalidArgument, TemporarilyUnavailable
from chassis.policy import Policy

if TYPE_CHECKING:
    from chassis.rpc.guard import Guard

Context = grpc.aio.ServicerContext[Any, Any]

REQUEST_ID = "x-request-id"
REQUEST_ID_FORMAT = re.compile(r"[A-Za-z0-9_-]{1,64}")
CHECK_STREAMS_EVERY = timedelta(seconds=2)
"""A stream of a credential that ended is closed within 5 seconds of its end."""

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
    began: float
    deadline: float | None
    """When it ends, on the monotonic clock; None for an endless stream."""
    guard: Guard = field(repr=False)
    caller: Caller | None = None

    async def while_allowed(self, work: Coroutine[Any, Any, None]) -> None:
        """Serve a stream for as long as its credential is good.

        Raises: Unauthenticated, PermissionDenied, once it is not.
        """
        # A deadline of the caller's own does not make an endless stream a short one.
        if self.caller is None or self.policy.longest is not None:
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
