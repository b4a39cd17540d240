"""Identity's people, without identity."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.auth import Role
from chassis.ids import WorkspaceId
from services.conversation.model.assigning import Member
from services.conversation.model.faults import MemberNotFound


@dataclass
class KnownMembers:
    """The members of every workspace; implements `actions.ports.Members`."""

    known: dict[str, Member] = field(default_factory=dict)

    def join(self, member_id: str, role: Role = Role.AGENT, *, is_active: bool = True) -> str:
        """Somebody joined, or is somebody else from now on."""
        self.known[member_id] = Member(member_id, role, is_active)
        return member_id

    async def get(self, workspace_id: WorkspaceId, member_id: str) -> Member:
        if member_id not in self.known:
            raise MemberNotFound(member_id)
        return self.known[member_id]
