"""Identity's entities as the events that would announce them, for who lost track of the log."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.database import Transaction
from chassis.errors import PageTokenInvalid
from chassis.event_log import SnapshotEntity
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.identity import events
from services.identity.store import credentials, people

WORKSPACE, MEMBER, KEY = "1", "2", "3"
"""First letters of cursors, in the order of the pages."""
FIRST_ID = str(UUID(int=0))


class Snapshot:
    """A SnapshotSource: the workspace, then its members, then its API keys."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """At most `count` entities after a cursor. Raises: PageTokenInvalid."""
        if transaction.workspace_id is None:
            return []
        kind, last_id = _read(after)
        page: list[SnapshotEntity] = []
        if kind < WORKSPACE:
            workspace = await people.get_workspace(transaction, transaction.workspace_id)
            page.append(_entity(WORKSPACE, workspace.id, events.workspace_changed(workspace)))
        if kind <= MEMBER:
            begin = last_id if kind == MEMBER else FIRST_ID
            page += await _members(transaction, transaction.workspace_id, begin, count - len(page))
        begin = last_id if kind == KEY else FIRST_ID
        page += await _keys(transaction, transaction.workspace_id, begin, count - len(page))
        return page


async def _members(
    transaction: Transaction, workspace_id: WorkspaceId, after: str, count: int
) -> list[SnapshotEntity]:
    found = await people.list_members_by_id(transaction, workspace_id, after=after, limit=count)
    return [
        _entity(MEMBER, member.id, events.member_changed(workspace_id, member)) for member in found
    ]


async def _keys(
    transaction: Transaction, workspace_id: WorkspaceId, after: str, count: int
) -> list[SnapshotEntity]:
    found = await credentials.list_api_keys_by_id(
        transaction, workspace_id, after=after, limit=count
    )
    return [_entity(KEY, key.id, events.api_key_changed(key)) for key in found]


def _entity(kind: str, entity_id: str, event: OutgoingEvent) -> SnapshotEntity:
    return SnapshotEntity(kind + entity_id, event.subject, event.ordering_key, event.payload)


def _read(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "", FIRST_ID
    try:
        return cursor[0], str(UUID(cursor[1:]))
    except ValueError:
        raise PageTokenInvalid from None
