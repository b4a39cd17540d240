"""The inbox for those who build theirs from ours."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.event_log import SnapshotEntity
from chassis.outbox import OutgoingEvent
from services.conversation import events
from services.conversation.model.authors import SYSTEM
from services.conversation.model.conversation import Change
from services.conversation.store import conversations, known_contacts, notes
from services.conversation.store.conversations import BEFORE_ALL_IDS

KINDS = ("conversation", "contact", "note")
"""In the order in which they are told."""


class Snapshot:
    """Every conversation, contact and note as an event that tells of it."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """The transaction's workspace, kind by kind, each in id order."""
        first, _, after_id = (after or f"{KINDS[0]} {BEFORE_ALL_IDS}").partition(" ")
        page: list[SnapshotEntity] = []
        for kind in KINDS[KINDS.index(first) :]:
            page += [
                SnapshotEntity(
                    f"{kind} {event.ordering_key}",
                    event.subject,
                    event.ordering_key,
                    event.payload,
                )
                for event in await _told(transaction, kind, after_id, count - len(page))
            ]
            after_id = BEFORE_ALL_IDS
        return page


async def _told(transaction: Transaction, kind: str, after: str, size: int) -> list[OutgoingEvent]:
    workspace_id = transaction.workspace_id
    assert workspace_id is not None  # noqa: S101 - the event log opens it in a workspace
    match kind:
        case "conversation":
            return [
                events.conversation_changed(workspace_id, Change.OPENED, conversation, SYSTEM)
                for conversation in await conversations.in_id_order(
                    transaction, after=after, size=size
                )
            ]
        case "contact":
            return [
                events.contact_renamed(workspace_id, known.contact)
                if known.contact.merged_into_id
                else events.contact_changed(workspace_id, known, None)
                for known in await known_contacts.in_id_order(transaction, after=after, size=size)
            ]
        case _:
            return [
                events.note_changed(workspace_id, note, note.author)
                for note in await notes.in_id_order(transaction, after=after, size=size)
            ]
