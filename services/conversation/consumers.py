"""What is taken from other services: messaging's threads, messages and modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis.database import Transaction
from chassis.events import Event
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.means import Means
from services.conversation.actions.projection import project_threads
from services.conversation.mapping import facts_from
from services.conversation.model.thread import ThreadFacts

PROJECTION = "conversation-projection"
STREAM = "INBOX_MESSAGING"


def _thread_opened(event: Event) -> ThreadFacts:
    opened = messaging_v1.ThreadOpened.FromString(event.payload)
    return facts_from(opened.thread, event.epoch)


def _message_created(event: Event) -> ThreadFacts:
    created = messaging_v1.MessageCreated.FromString(event.payload)
    return facts_from(created.thread, event.epoch, created.message)


def _mode_changed(event: Event) -> ThreadFacts:
    changed = messaging_v1.ModeChanged.FromString(event.payload)
    return facts_from(changed.thread, event.epoch)


CONSUMES: dict[str, Callable[[Event], ThreadFacts]] = {
    "thread_opened": _thread_opened,
    "message_created": _message_created,
    "mode_changed": _mode_changed,
}
"""How each event is read; the stream's others concern nobody here."""


async def project(means: Means, transaction: Transaction, events: Sequence[Event]) -> None:
    """Apply a run of events, or of a snapshot's entities, of one workspace.

    Raises: EventNotUnderstood, FieldInvalid, DecodeError; the consumer parks what causes them.
    """
    facts = [CONSUMES[event.event](event) for event in events if event.event in CONSUMES]
    await project_threads(means, transaction, events[0].workspace_id, facts)
