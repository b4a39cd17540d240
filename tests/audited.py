"""What a service's audit has kept of a workspace, for tests that look at the table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chassis.database import Database
from chassis.ids import WorkspaceId

KEPT = """
SELECT command, actor_kind, actor_name, entity_kind, entity_id, before, after
FROM audit_entries WHERE workspace_id = $1 ORDER BY create_time, id
"""


@dataclass(frozen=True)
class Kept:
    """One entry."""

    command: str
    actor: str
    """Kind and name: "member Ana"."""
    entity_kind: str
    entity_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def kept_in(database: Database, workspace_id: WorkspaceId) -> list[Kept]:
    """Everything, oldest first."""
    async with database.begin(workspace_id) as transaction:
        rows = await transaction.raw.fetch(KEPT, workspace_id)
    return [
        Kept(
            row["command"],
            f"{row['actor_kind']} {row['actor_name']}".strip(),
            row["entity_kind"],
            row["entity_id"],
            None if row["before"] is None else json.loads(row["before"]),
            None if row["after"] is None else json.loads(row["after"]),
        )
        for row in rows
    ]
