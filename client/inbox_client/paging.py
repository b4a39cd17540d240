"""What all lists have in common: which page comes next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message as ProtoMessage

from inbox.messaging.v1 import ListMessagesRequest, ListMessagesResponse, Message

LARGEST_PAGE = 200


class Page(Protocol):
    """A response with a token for the page after it."""

    @property
    def next_page_token(self) -> str:
        """Empty after the last page."""


Request = TypeVar("Request", bound=ProtoMessage)


def copy_of(request: Request) -> Request:
    """The caller's request stays as it is while pages move on."""
    copy = type(request)()
    copy.CopyFrom(request)
    return copy


def move_on(asked: Any, page: Page) -> bool:
    """Ask for the page after this one; False after the last."""
    asked.page_token = page.next_page_token
    return bool(page.next_page_token)


class History:
    """A conversation page by page: newest first, or after a seq and oldest first."""

    def __init__(self, conversation_id: str, after_seq: int | None) -> None:
        self._is_newest_first = after_seq is None
        self.asked: ListMessagesRequest | None = self._ask(conversation_id)
        if after_seq == 0:
            # To Inbox `after_seq` 0 is none, so the first message comes by itself.
            self.asked = self._ask(conversation_id, before_seq=2)
        elif after_seq is not None:
            self.asked = self._ask(conversation_id, after_seq=after_seq)

    def take(self, page: ListMessagesResponse) -> Iterable[Message]:
        """The messages of the page that was asked for; `asked` moves on, at last to None."""
        asked, self.asked = self.asked, None
        if asked is None or not page.messages:
            return ()
        if self._is_newest_first:
            if page.has_more:
                oldest = page.messages[-1].seq
                self.asked = self._ask(asked.conversation_id, before_seq=oldest)
            return page.messages
        if page.has_more or asked.before_seq:
            newest = page.messages[0].seq
            self.asked = self._ask(asked.conversation_id, after_seq=newest)
        return reversed(page.messages)

    @staticmethod
    def _ask(
        conversation_id: str, *, before_seq: int = 0, after_seq: int = 0
    ) -> ListMessagesRequest:
        return ListMessagesRequest(
            conversation_id=conversation_id,
            before_seq=before_seq,
            after_seq=after_seq,
            page_size=LARGEST_PAGE,
        )
