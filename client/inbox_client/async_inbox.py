"""Inbox for asyncio programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Self, TypeVar

import grpc
from google.protobuf.message import Message as ProtoMessage

from inbox.conversation.v1 import Conversation, ListConversationsRequest
from inbox.messaging.v1 import Message, SendMessageRequest
from inbox.realtime.v1 import WatchRequest
from inbox_client.async_channel import AsyncChannel, open_channel
from inbox_client.async_stubs import AsyncStubs
from inbox_client.async_watch import AsyncWatch
from inbox_client.calls import TIMEOUT, Calls, Tls
from inbox_client.following import RESUME_WITHIN, SILENT_AFTER, Cuts
from inbox_client.paging import LARGEST_PAGE, History, Page, copy_of, move_on
from inbox_client.retries import PATIENT, Retries

Request = TypeVar("Request", bound=ProtoMessage)
Response = TypeVar("Response", bound=Page)


class AsyncInbox(AsyncStubs):
    """One workspace, by its API key; everything as in Inbox, awaited.

    async with AsyncInbox("inbox.example.com:443", "ik_…") as inbox:
        await inbox.send(conversation_id, "Hello")

    Make it in a running loop.
    """

    def __init__(
        self,
        address: str | grpc.aio.Channel,
        api_key: str,
        *,
        tls: Tls = None,
        timeout: timedelta = TIMEOUT,
        retries: Retries = PATIENT,
    ) -> None:
        """As Inbox."""
        opened = open_channel(address, tls) if isinstance(address, str) else address
        self._channel = AsyncChannel(opened, Calls(api_key, timeout, retries))
        self._retries = retries
        super().__init__(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every call."""
        await self._channel.close()

    async def send(
        self, conversation_id: str, text: str, *, client_message_id: str = ""
    ) -> Message:
        """As Inbox.send."""
        request = SendMessageRequest(
            conversation_id=conversation_id, client_message_id=client_message_id, text=text
        )
        return (await self.messaging.SendMessage(request)).message

    async def pages(
        self, method: Callable[[Request], Awaitable[Response]], request: Request
    ) -> AsyncIterator[Response]:
        """As Inbox.pages."""
        asked = copy_of(request)
        has_more = True
        while has_more:
            page = await method(asked)
            yield page
            has_more = move_on(asked, page)

    async def iterate_conversations(
        self, request: ListConversationsRequest | None = None
    ) -> AsyncIterator[Conversation]:
        """As Inbox.iterate_conversations."""
        asked = copy_of(request or ListConversationsRequest())
        asked.page_size = asked.page_size or LARGEST_PAGE
        async for page in self.pages(self.conversations.ListConversations, asked):
            for conversation in page.conversations:
                yield conversation

    async def iterate_messages(
        self, conversation_id: str, *, after_seq: int | None = None
    ) -> AsyncIterator[Message]:
        """As Inbox.iterate_messages."""
        history = History(conversation_id, after_seq)
        while history.asked is not None:
            for message in history.take(await self.messaging.ListMessages(history.asked)):
                yield message

    def watch(
        self,
        position: str = "",
        *,
        resume_within: timedelta | None = RESUME_WITHIN,
        silent_after: timedelta = SILENT_AFTER,
    ) -> AsyncWatch:
        """As Inbox.watch."""
        return AsyncWatch(
            lambda place: self.realtime.Watch(WatchRequest(position=place)),
            position,
            Cuts(self._retries, resume_within),
            silent_after,
        )
