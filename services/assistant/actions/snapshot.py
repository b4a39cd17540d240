"""The present entities, as the events that would announce them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.event_log import SnapshotEntity
from chassis.ids import WorkspaceId
from services.assistant import events
from services.assistant.store import articles, settings

FIRST_ID = "00000000-0000-0000-0000-000000000000"
SETTINGS = "settings"
"""Cursor of the settings, which come first; articles follow by their ids."""


class Snapshot:
    """A `chassis.event_log.SnapshotSource`: the settings, then every article, deleted ones too.

    Turns are left out: they are an audit, which nobody projects.
    """

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """At most `count` entities after a cursor."""
        workspace_id = WorkspaceId(str(transaction.workspace_id))
        entities: list[SnapshotEntity] = []
        if not after:
            stored = await settings.read(transaction)
            event = events.settings_changed(workspace_id, stored.settings)
            entities.append(
                SnapshotEntity(SETTINGS, event.subject, event.ordering_key, event.payload)
            )
        first = FIRST_ID if after in ("", SETTINGS) else after
        left = count - len(entities)
        for article in await articles.in_id_order(transaction, first, size=left) if left else ():
            event = events.article_changed(workspace_id, article)
            entities.append(
                SnapshotEntity(article.id, event.subject, event.ordering_key, event.payload)
            )
        return entities
