"""What is taken from other services: messaging's threads, messages and modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis.database import Transaction
from chassis.events import Event
from inbox.messaging import v1 as messaging_v1
from services.assistant.actions.conversations import take_in_news
from services.assistant.mapping import news_from
from services.assistant.model.turns import News

DUTIES = "assistant-duties"
STREAM = "INBOX_MESSAGING"


def _thread_opened(event: Event) -> News:
    return news_from(event, messaging_v1.ThreadOpened.FromString(event.payload).thread)


def _message_created(event: Event) -> News:
    created = messaging_v1.MessageCreated.FromString(event.payload)
    return news_from(event, created.thread, created.message)


def _mode_changed(event: Event) -> News:
    return news_from(event, messaging_v1.ModeChanged.FromString(event.payload).thread)


CONSUMES: dict[str, Callable[[Event], News]] = {
    "thread_opened": _thread_opened,
    "message_created": _message_created,
    "mode_changed": _mode_changed,
}
"""How each event is read; the stream's others concern nobody here."""


async def take_in(transaction: Transaction, events: Sequence[Event]) -> None:
    """Apply a run of events, or of a snapshot's entities, of one workspace.

    Raises: FieldInvalid, DecodeError; the consumer parks what causes them.
    """
    await take_in_news(
        transaction, [CONSUMES[event.event](event) for event in events if event.event in CONSUMES]
    )
