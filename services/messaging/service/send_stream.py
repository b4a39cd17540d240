"""One SendMessages stream: items go in as they come, results come out as they are ready.

No task per item: an item is a future of the writers, and its end appends to what the next response
carries.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from chassis import tracing
from chassis.auth import Caller
from chassis.errors import Fault, FieldInvalid
from chassis.ids import parse_id
from chassis.logs import log
from inbox.messaging import v1
from services.messaging.actions import send
from services.messaging.mapping.errors import error_to_proto
from services.messaging.mapping.messages import message_to_proto
from services.messaging.model.attachment import Attachment
from services.messaging.model.draft import Stored
from services.messaging.service.attachments import attachments_of
from services.messaging.service.means import SEND_WITHIN, Means, not_negative

MAX_ITEMS = 256
"""In one message, either way."""
MAX_UNDER_WAY = 2_048
"""Items of one stream without a result; above that the stream is not read, so the sender waits."""


class SendStream:
    """The state of one call."""

    def __init__(self, means: Means, caller: Caller) -> None:
        self._means = means
        self._caller = caller
        self._results: list[v1.SendMessagesResult] = []
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._under_way = 0
        self._asking: set[asyncio.Future[Stored]] = set()

    async def serve(
        self, requests: AsyncIterator[v1.SendMessagesRequest]
    ) -> AsyncIterator[v1.SendMessagesResponse]:
        """Results until the sender has finished and every item has one."""
        reading = asyncio.ensure_future(self._read(requests))
        reading.add_done_callback(lambda _: self._changed.set())
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                while self._results:
                    ready = self._results[:MAX_ITEMS]
                    del self._results[:MAX_ITEMS]
                    yield v1.SendMessagesResponse(results=ready)
                if reading.done() and not self._under_way:
                    reading.result()
                    return
        finally:
            reading.cancel()
            for task in tuple(self._asking):
                task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reading

    async def _read(self, requests: AsyncIterator[v1.SendMessagesRequest]) -> None:
        async for request in requests:
            if len(request.items) > MAX_ITEMS:
                raise FieldInvalid(field="items", rule=f"must be at most {MAX_ITEMS}")
            for item in request.items:
                await self._has_room.wait()
                await self._begin(item)

    async def _begin(self, item: v1.SendMessagesItem) -> None:
        ref = item.ref
        try:
            caller = self._caller
            if item.access_token:
                caller = await self._means.verify(item.access_token)
            if item.request.attachments:
                result = self._begin_with_files(caller, item.request)
            else:
                result = self._send(caller, item.request)
        except Fault as fault:
            self._finish(v1.SendMessagesResult(ref=ref, error=error_to_proto(fault)))
            return
        self._under_way += 1
        if self._under_way >= MAX_UNDER_WAY:
            self._has_room.clear()
        result.add_done_callback(lambda done: self._collect(ref, done))

    def _send(
        self, caller: Caller, request: v1.SendMessageRequest, files: tuple[Attachment, ...] = ()
    ) -> asyncio.Future[Stored]:
        return send.begin_send(
            self._means.writers,
            caller,
            conversation_id=parse_id("conversation_id", request.conversation_id),
            client_message_id=parse_id("client_message_id", request.client_message_id),
            text=request.text,
            mode_epoch=not_negative("mode_epoch", request.mode_epoch),
            within=SEND_WITHIN,
            traceparent=tracing.traceparent(),
            attachments=files,
        )

    def _begin_with_files(
        self, caller: Caller, request: v1.SendMessageRequest
    ) -> asyncio.Future[Stored]:
        """The stream goes on while media is asked; whoever ends the stream ends this too."""

        async def ask_and_send() -> Stored:
            files = await attachments_of(self._means, caller, request)
            return await self._send(caller, request, files)

        task = asyncio.ensure_future(ask_and_send())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    def _collect(self, ref: int, done: asyncio.Future[Stored]) -> None:
        self._under_way -= 1
        self._has_room.set()
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            stored = done.result()
            sent = v1.SendMessageResponse(
                message=message_to_proto(stored.message), replayed=stored.replayed
            )
            self._finish(v1.SendMessagesResult(ref=ref, sent=sent))
            return
        if not isinstance(error, Fault):
            log.error("send_failed", exc_info=error)
        self._finish(v1.SendMessagesResult(ref=ref, error=error_to_proto(error)))

    def _finish(self, result: v1.SendMessagesResult) -> None:
        self._results.append(result)
        self._changed.set()
