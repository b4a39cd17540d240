"""The neighbours over gRPC: identity, and as a process of the suite messaging and assistant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import grpc

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId
from chassis.logs import log
from chassis.rpc import Channel, in_workspace, remote_fault
from chassis.rpc.faults import AWAY
from inbox.assistant import v1 as assistant_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.mapping import member_from
from services.conversation.model.assigning import Member
from services.conversation.model.erasure import ErasedThread
from services.conversation.model.faults import MemberNotFound

ANSWER_WITHIN_SECONDS = 3.0
ERASE_SECONDS = 60.0
ANSWER_SECONDS = 10.0


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


class GrpcNeighbours:
    """Whom erasing and exporting a contact ask."""

    def __init__(self, messaging: Channel, assistant: Channel) -> None:
        self._erasure = messaging_v1.ErasureServiceStub(messaging)
        self._messaging = messaging_v1.MessagingServiceStub(messaging)
        self._assistant = assistant_v1.AssistantServiceStub(assistant)

    async def erase_thread(
        self, workspace_id: WorkspaceId, conversation_id: str, *, request_id: str
    ) -> ErasedThread:
        """Erase a thread; `is_erased` once nothing is left. Raises: TemporarilyUnavailable."""
        request = messaging_v1.EraseThreadRequest(
            conversation_id=conversation_id, request_id=request_id
        )
        try:
            answer = await self._erasure.EraseThread(
                request, timeout=ERASE_SECONDS, metadata=in_workspace(workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            raise _away("messaging", error) from error
        erased = ErasedThread(conversation_id, answer.last_seq)
        return replace(erased, log_epoch=answer.log_epoch, gpos=answer.gpos)

    async def forget(
        self, workspace_id: WorkspaceId, threads: Sequence[ErasedThread], *, request_id: str
    ) -> None:
        """Have the AI forget conversations. Raises: TemporarilyUnavailable."""
        newest = max(threads, key=lambda thread: thread.gpos)
        request = assistant_v1.ForgetConversationsRequest(
            conversation_ids=[thread.conversation_id for thread in threads],
            request_id=request_id,
            log_epoch=newest.log_epoch,
            gpos=newest.gpos,
        )
        try:
            await self._assistant.ForgetConversations(
                request, timeout=ANSWER_SECONDS, metadata=in_workspace(workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            raise _away("assistant", error) from error

    async def messages(
        self, workspace_id: WorkspaceId, conversation_id: str, *, before_seq: int, size: int
    ) -> tuple[list[messaging_v1.Message], bool]:
        """Messages before a seq, 0 for all, newest first, and whether there are more.

        None of a conversation that messaging does not have. Raises: TemporarilyUnavailable.
        """
        request = messaging_v1.ListMessagesRequest(
            conversation_id=conversation_id, before_seq=before_seq, page_size=size
        )
        try:
            answer = await self._messaging.ListMessages(
                request, timeout=ANSWER_SECONDS, metadata=in_workspace(workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return [], False
            raise _away("messaging", error) from error
        return list(answer.messages), answer.has_more


def _away(part: str, error: grpc.aio.AioRpcError) -> TemporarilyUnavailable:
    """Whatever it is, it may be otherwise at the next try."""
    reason = remote_fault(error).reason
    log.warning("neighbour_refused", part=part, code=error.code().name, reason=reason)
    return TemporarilyUnavailable(part=part)
