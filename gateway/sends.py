"""Sending for sockets: one stream per messaging replica, fed with whatever has gathered.

A message of an idle gateway leaves at once; under load the stream is written to every 2 ms. Items
of one conversation take the same stream, in order. When a stream breaks, what it had not answered
is sent again with the same client_message_id, which messaging knows; so nothing is lost or
doubled. What nobody answers in time is told so, and the client's outbox tries again.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import grpc

from gateway.lane import Lane, Pending
from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1

if TYPE_CHECKING:
    from gateway.jobs import Jobs
    from gateway.upstream import Upstream

ANSWER_WITHIN_SECONDS = 10.0
MAX_UNDER_WAY = 8192
CHECK_EVERY_SECONDS = 0.25

Deliver = Callable[[messaging_v1.SendMessagesResult], None]


class Sends:
    """All lanes."""

    def __init__(self, upstream: Upstream, addresses: Iterable[str]) -> None:
        self._lanes = [Lane(upstream, address, self.route) for address in addresses]
        self._next_ref = 0
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many messages wait for their answer."""
        return self._under_way

    def start(self, jobs: Jobs) -> None:
        """Open the streams and watch over them."""
        for lane in self._lanes:
            jobs.keep("send lane", lane.run)
        jobs.keep("send deadlines", self._watch_deadlines)

    def submit(
        self, request: messaging_v1.SendMessageRequest, access_token: str, deliver: Deliver
    ) -> None:
        """Send in somebody's name; `deliver` is called once with the result, whatever happens."""
        self._next_ref += 1
        item = messaging_v1.SendMessagesItem(
            ref=self._next_ref, request=request, access_token=access_token
        )
        if self._under_way >= MAX_UNDER_WAY:
            deliver(_unavailable(item.ref, "too much is under way; send it again"))
            return
        self._under_way += 1

        def settle(result: messaging_v1.SendMessagesResult) -> None:
            self._under_way -= 1
            deliver(result)

        expires_at = asyncio.get_running_loop().time() + ANSWER_WITHIN_SECONDS
        self.route(Pending(item, settle, expires_at))

    def route(self, pending: Pending) -> None:
        """Put it on the lane of its conversation: among the lanes that are up, if any is."""
        lanes = [lane for lane in self._lanes if lane.is_up] or self._lanes
        conversation_id = pending.item.request.conversation_id.encode()
        # The lane with the highest number wins, so a lost lane moves only its own conversations.
        max(lanes, key=lambda lane: zlib.crc32(conversation_id, lane.seed)).put(pending)

    async def _watch_deadlines(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            for lane in self._lanes:
                for pending in lane.take_expired(loop.time()):
                    text = "messaging gave no answer in time; send it again with the same id"
                    pending.settle(_unavailable(pending.item.ref, text))


def _unavailable(ref: int, message: str) -> messaging_v1.SendMessagesResult:
    error = error_v1.Error(
        code=grpc.StatusCode.UNAVAILABLE.value[0],
        reason=error_v1.REASON_TEMPORARILY_UNAVAILABLE,
        message=message,
        metadata={"part": "messaging"},
    )
    return messaging_v1.SendMessagesResult(ref=ref, error=error)
