"""Which workspaces there are."""

from __future__ import annotations

from chassis.database import Database
from chassis.ids import WorkspaceId

KNOWN_WORKSPACES = """
SELECT workspace_id FROM log_workspaces UNION SELECT workspace_id FROM outbox ORDER BY 1
"""


async def known_workspaces(worker: Database) -> list[WorkspaceId]:
    """Every workspace that ever had a conversation: opening one is published."""
    async with worker.begin() as transaction:
        rows = await transaction.raw.fetch(KNOWN_WORKSPACES)
    return [WorkspaceId(str(row["workspace_id"])) for row in rows]
