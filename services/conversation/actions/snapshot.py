"""The inbox for those who build theirs from ours."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.event_log import SnapshotEntity
from services.conversation import events
from services.conversation.model.authors import SYSTEM
from services.conversation.model.conversation import Change
from services.conversation.store import conversations
from services.conversation.store.conversations import BEFORE_ALL_IDS


class Snapshot:
    """Every conversation as the event that opens it, for those who build theirs from ours."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """The transaction's workspace, in id order."""
        workspace_id = transaction.workspace_id
        assert workspace_id is not None  # noqa: S101 - the event log opens it in a workspace
        page = await conversations.in_id_order(
            transaction, after=after or BEFORE_ALL_IDS, size=count
        )
        opened = [
            events.conversation_changed(workspace_id, Change.OPENED, conversation, SYSTEM)
            for conversation in page
        ]
        return [
            SnapshotEntity(event.ordering_key, event.subject, event.ordering_key, event.payload)
            for event in opened
        ]
