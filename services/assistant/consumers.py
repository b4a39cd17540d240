"""What is taken from other services: messaging's threads, messages and modes; what lies in Spam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from chassis.database import Transaction
from chassis.events import Event
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.assistant.actions.conversations import take_in_folders, take_in_news
from services.assistant.mapping import news_from
from services.assistant.model.turns import FolderNews, News

FolderEvent: TypeAlias = (
    conversation_v1.ConversationOpened
    | conversation_v1.ConversationSolved
    | conversation_v1.ConversationReopened
    | conversation_v1.ConversationMoved
)
DUTIES = "assistant-duties"
STREAM = "INBOX_MESSAGING"
FOLDERS = "assistant-folders"
FOLDERS_STREAM = "INBOX_CONVERSATION"


def _thread_opened(event: Event) -> News:
    return news_from(event, messaging_v1.ThreadOpened.FromString(event.payload).thread)


def _message_created(event: Event) -> News:
    created = messaging_v1.MessageCreated.FromString(event.payload)
    return news_from(event, created.thread, created.message)


def _mode_changed(event: Event) -> News:
    return news_from(event, messaging_v1.ModeChanged.FromString(event.payload).thread)


def _moved(kind: type[FolderEvent]) -> Callable[[Event], FolderNews]:
    def read(event: Event) -> FolderNews:
        conversation = kind.FromString(event.payload).conversation
        return FolderNews(
            conversation.id, conversation.is_silenced, event.time, conversation.inbound_count
        )

    return read


CONSUMES: dict[str, Callable[[Event], News | FolderNews]] = {
    "thread_opened": _thread_opened,
    "message_created": _message_created,
    "mode_changed": _mode_changed,
    "conversation_opened": _moved(conversation_v1.ConversationOpened),
    "conversation_solved": _moved(conversation_v1.ConversationSolved),
    "conversation_reopened": _moved(conversation_v1.ConversationReopened),
    "conversation_moved": _moved(conversation_v1.ConversationMoved),
}
"""How each event is read; the others of the two streams concern nobody here."""


async def take_in(transaction: Transaction, events: Sequence[Event]) -> None:
    """Apply a run of events, or of a snapshot's entities, of one workspace and one stream.

    Raises: FieldInvalid, DecodeError; the consumer parks what causes them.
    """
    told = [CONSUMES[event.event](event) for event in events if event.event in CONSUMES]
    await take_in_news(transaction, [one for one in told if isinstance(one, News)])
    await take_in_folders(transaction, [one for one in told if isinstance(one, FolderNews)])
