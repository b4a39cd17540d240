"""What is taken from other services: messaging's threads, messages and modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from chassis.database import Transaction
from chassis.events import Event
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.forgetting import forget_conversations
from services.conversation.actions.means import Means
from services.conversation.actions.projection import project_threads
from services.conversation.mapping import facts_from
from services.conversation.model.erasure import ErasedThread
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


def _thread_erased(event: Event) -> ErasedThread:
    erased = messaging_v1.ThreadErased.FromString(event.payload)
    return ErasedThread(erased.conversation_id, erased.last_seq)


CONSUMES: dict[str, Callable[[Event], ThreadFacts | ErasedThread]] = {
    "thread_opened": _thread_opened,
    "message_created": _message_created,
    "mode_changed": _mode_changed,
    "thread_erased": _thread_erased,
}
"""How each event is read; the stream's others concern nobody here."""


async def project(means: Means, transaction: Transaction, events: Sequence[Event]) -> None:
    """Apply a run of events, or of a snapshot's entities, of one workspace.

    Raises: EventNotUnderstood, FieldInvalid, DecodeError; the consumer parks what causes them.
    """
    workspace_id = events[0].workspace_id
    said = [CONSUMES[event.event](event) for event in events if event.event in CONSUMES]
    # In turns, in order: what a customer says who comes back is said of another conversation.
    for _, run in groupby(said, type):
        same = list(run)
        facts = [one for one in same if isinstance(one, ThreadFacts)]
        erased = [one for one in same if isinstance(one, ErasedThread)]
        await project_threads(means, transaction, workspace_id, facts)
        await forget_conversations(means, transaction, workspace_id, erased)
