"""Identity over gRPC: who the members of a workspace are."""

from __future__ import annotations

import grpc

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId
from chassis.rpc import Channel, in_workspace
from chassis.rpc.faults import AWAY
from inbox.identity import v1 as identity_v1
from services.conversation.mapping import member_from
from services.conversation.model.assigning import Member
from services.conversation.model.faults import MemberNotFound

ANSWER_WITHIN_SECONDS = 3.0


class IdentityMembers:
    """Asks identity; implements `actions.ports.Members`."""

    def __init__(self, channel: Channel) -> None:
        self._identity = identity_v1.IdentityServiceStub(channel)

    async def get(self, workspace_id: WorkspaceId, member_id: str) -> Member:
        """One member. Raises: MemberNotFound, TemporarilyUnavailable."""
        try:
            response = await self._identity.GetMember(
                identity_v1.GetMemberRequest(member_id=member_id),
                timeout=ANSWER_WITHIN_SECONDS,
                metadata=in_workspace(workspace_id),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise MemberNotFound(member_id) from error
            if error.code() in AWAY:
                raise TemporarilyUnavailable(part="identity") from error
            raise
        return member_from(response.member)
