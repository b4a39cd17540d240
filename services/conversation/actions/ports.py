"""What actions need of neighbours."""

from __future__ import annotations

from typing import Protocol

from chassis.ids import WorkspaceId
from services.conversation.model.assigning import Member


class Members(Protocol):
    """The people of workspaces."""

    async def get(self, workspace_id: WorkspaceId, member_id: str) -> Member:
        """One of them, also a removed one. Raises: MemberNotFound, TemporarilyUnavailable."""
