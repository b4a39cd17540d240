"""Visitors' access tokens, which identity makes."""

from __future__ import annotations

from datetime import UTC

import grpc

from chassis.auth import VisitorBinding
from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId
from chassis.rpc import Channel, in_workspace
from chassis.rpc.faults import AWAY
from inbox.identity import v1 as identity_v1
from services.messaging.actions.web_chat import VisitorToken

ANSWER_WITHIN_SECONDS = 3.0


class IdentityVisitorTokens:
    """Asks identity for tokens of role visitor."""

    def __init__(self, channel: Channel) -> None:
        self._stub = identity_v1.IdentityServiceStub(channel)

    async def issue(
        self, workspace_id: WorkspaceId, binding: VisitorBinding, display_name: str
    ) -> VisitorToken:
        """A token for one visitor. Raises: TemporarilyUnavailable."""
        request = identity_v1.IssueVisitorTokenRequest(
            channel_id=binding.channel_id,
            external_id=binding.external_id,
            conversation_id=binding.conversation_id,
            display_name=display_name,
        )
        try:
            response = await self._stub.IssueVisitorToken(
                request, timeout=ANSWER_WITHIN_SECONDS, metadata=in_workspace(workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in AWAY:
                raise TemporarilyUnavailable(part="identity") from error
            raise
        token = response.access_token
        return VisitorToken(
            access_token=token.token, expire_time=token.expire_time.ToDatetime(tzinfo=UTC)
        )
