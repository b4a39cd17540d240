"""The present entities of messaging, as the events that would announce them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.event_log import SnapshotEntity
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.messaging import events
from services.messaging.store.snapshot import channels_after, threads_after

CHANNEL, THREAD = "c", "t"
"""Cursors are one of these and the entity's id: channels come first."""
FIRST_ID = "00000000-0000-0000-0000-000000000000"


class Snapshot:
    """A `chassis.event_log.SnapshotSource`: every channel, then every thread.

    A thread is the `message_created` of its newest message that is not just a row for the team;
    nobody needs the older ones to begin.
    """

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """At most `count` entities after a cursor."""
        kind, _, entity_id = after.partition(":")
        workspace_id = WorkspaceId(str(transaction.workspace_id))
        entities: list[SnapshotEntity] = []
        if kind in ("", CHANNEL):
            first = entity_id or FIRST_ID
            for channel in await channels_after(transaction, first, limit=count):
                event = events.channel_changed(workspace_id, channel)
                entities.append(_entity(CHANNEL, channel.id, event))
            entity_id = FIRST_ID
        left = count - len(entities)
        for thread, message in await threads_after(transaction, entity_id, limit=left):
            if message is None:
                event = events.thread_opened(workspace_id, thread)
            else:
                event = events.message_created(workspace_id, message, thread)
            entities.append(_entity(THREAD, thread.conversation_id, event))
        return entities


def _entity(kind: str, entity_id: str, event: OutgoingEvent) -> SnapshotEntity:
    return SnapshotEntity(
        cursor=f"{kind}:{entity_id}",
        subject=event.subject,
        ordering_key=event.ordering_key,
        payload=event.payload,
    )
