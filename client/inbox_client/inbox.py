"""Inbox for synchronous programs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Self, TypeVar

import grpc
from google.protobuf.message import Message as ProtoMessage

from inbox.conversation.v1 import Conversation, ListConversationsRequest
from inbox.messaging.v1 import Message, SendMessageRequest
from inbox.realtime.v1 import WatchRequest
from inbox_client.calls import TIMEOUT, Calls, Tls
from inbox_client.channel import Channel, open_channel
from inbox_client.following import RESUME_WITHIN, SILENT_AFTER, Cuts
from inbox_client.paging import LARGEST_PAGE, History, Page, copy_of, move_on
from inbox_client.retries import PATIENT, Retries
from inbox_client.stubs import Stubs
from inbox_client.watch import Watch

Request = TypeVar("Request", bound=ProtoMessage)
Response = TypeVar("Response", bound=Page)


class Inbox(Stubs):
    """One workspace, by its API key. Threads may share it; every failure is an InboxError.

    with Inbox("inbox.example.com:443", "ik_…") as inbox:
        inbox.send(conversation_id, "Hello")
        inbox.messaging.GetThread(GetThreadRequest(conversation_id=conversation_id))

    `messaging`, `conversations` and the others are the generated stubs, one for each service. A
    write goes out with a request id, and is repeated with the same one.
    """

    def __init__(
        self,
        address: str | grpc.Channel,
        api_key: str,
        *,
        tls: Tls = None,
        timeout: timedelta = TIMEOUT,
        retries: Retries = PATIENT,
    ) -> None:
        """`address` is host:port, or a channel that is closed with this.

        `timeout` is how long a call may take in all. Without `tls`, only this same machine is
        spoken to in the clear.
        """
        opened = open_channel(address, tls) if isinstance(address, str) else address
        self._channel = Channel(opened, Calls(api_key, timeout, retries))
        self._retries = retries
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        super().__init__(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every watch and call."""
        for watch in tuple(self._watches):
            watch.close()
        self._channel.close()

    def send(self, conversation_id: str, text: str, *, client_message_id: str = "") -> Message:
        """Send a text to the customer of a conversation; it is stored for good when this returns.

        With a `client_message_id` of your own, a repeat after a crash sends nothing twice.
        """
        request = SendMessageRequest(
            conversation_id=conversation_id, client_message_id=client_message_id, text=text
        )
        return self.messaging.SendMessage(request).message

    def pages(self, method: Callable[[Request], Response], request: Request) -> Iterator[Response]:
        """Every page of a list: `pages(inbox.channels.ListChannels, ListChannelsRequest())`."""
        asked = copy_of(request)
        has_more = True
        while has_more:
            page = method(asked)
            yield page
            has_more = move_on(asked, page)

    def iterate_conversations(
        self, request: ListConversationsRequest | None = None
    ) -> Iterator[Conversation]:
        """The conversations that are asked for, newest activity first; by default all open ones."""
        asked = copy_of(request or ListConversationsRequest())
        asked.page_size = asked.page_size or LARGEST_PAGE
        for page in self.pages(self.conversations.ListConversations, asked):
            yield from page.conversations

    def iterate_messages(
        self, conversation_id: str, *, after_seq: int | None = None
    ) -> Iterator[Message]:
        """A conversation, newest message first; with `after_seq` what follows it, oldest first."""
        history = History(conversation_id, after_seq)
        while history.asked is not None:
            yield from history.take(self.messaging.ListMessages(history.asked))

    def watch(
        self,
        position: str = "",
        *,
        resume_within: timedelta | None = RESUME_WITHIN,
        silent_after: timedelta = SILENT_AFTER,
    ) -> Watch:
        """What happens in the workspace, live, from a position on.

        After a cut it resumes by itself; InboxError once that has failed for `resume_within`
        (None: never gives up). A Resync has to be handled before it goes on.
        """
        watch = Watch(
            lambda place: self.realtime.Watch(WatchRequest(position=place)),
            position,
            Cuts(self._retries, resume_within),
            silent_after,
        )
        self._watches.add(watch)
        return watch
