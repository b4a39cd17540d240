"""Customers' chat boxes: what their sessions ask for, done with the visitor's own token."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import grpc

from chassis.errors import Unauthenticated, Unavailable
from gateway.actions import Acknowledge, Action, CustomerTypes, Join, Post, Verify
from gateway.agents import as_value
from gateway.close_codes import CloseCode
from gateway.errors import of_rpc
from gateway.jobs import TooManyJobs
from gateway.visitor_session import VisitorAdmission, VisitorSession
from inbox.error import v1 as error_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from chassis.auth_tokens import TokenVerifier
    from chassis.clock import Clock
    from gateway.connection import Connection
    from gateway.hubs import Hubs
    from gateway.jobs import Jobs
    from gateway.presence import Presences
    from gateway.rooms import RoomKey, Rooms
    from gateway.upstream import Metadata, Upstream

CALL_SECONDS = 10.0
LIST_SECONDS = 5.0
HUB_POLL_SECONDS = 0.2
MAX_WAITING = 64
"""Commands of one box that wait for the one under way."""

Command = Post | Acknowledge


class Visitors:
    """The endpoint of `/ws/chat`."""

    kind = "visitor"

    def __init__(
        self,
        *,
        upstream: Upstream,
        verifier: TokenVerifier,
        hubs: Hubs,
        rooms: Rooms,
        presences: Presences,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._web_chat = messaging_v1.WebChatServiceStub(upstream.forwarding("messaging"))
        self._verifier = verifier
        self._hubs = hubs
        self._rooms = rooms
        self._presences = presences
        self._jobs = jobs
        self._clock = clock
        self._commands: dict[Connection[VisitorSession], deque[Command]] = {}
        """Only of boxes that have one under way."""

    def act(self, connection: Connection[VisitorSession], action: Action) -> None:
        """Begin what the session asked for."""
        try:
            match action:
                case Verify():
                    self._jobs.start("verify", self._verify(connection, action.token))
                case Join():
                    self._jobs.start("join room", self._join(connection))
                case Post() | Acknowledge():
                    self._command(connection, action)
                case CustomerTypes():
                    self._type(connection)
        except TooManyJobs:
            connection.close(CloseCode.RESTART, "this gateway is too busy; come back")

    def gone(self, connection: Connection[VisitorSession]) -> None:
        """Forget a box."""
        self._commands.pop(connection, None)
        admission = connection.session.admission
        if admission is not None:
            self._rooms.leave(_key(admission), connection)
            self._hubs.leave(admission.workspace_id, connection)

    async def _verify(self, connection: Connection[VisitorSession], token: str) -> None:
        session = connection.session
        try:
            caller = await self._verifier.verify(token)
        except (Unauthenticated, Unavailable) as fault:
            refusal = error_v1.Error(
                code=grpc.StatusCode.UNAUTHENTICATED.value[0],
                reason=error_v1.Reason.Value(f"REASON_{fault.reason}"),
                message=str(fault),
            )
            is_temporary = isinstance(fault, Unavailable)
            connection.perform(session.refused(refusal, is_temporary=is_temporary))
            return
        if caller.visitor is None or caller.workspace_id is None:
            connection.close(CloseCode.FORBIDDEN, "this address is for visitors' tokens")
            return
        admission = VisitorAdmission(
            workspace_id=caller.workspace_id,
            conversation_id=caller.visitor.conversation_id,
            visitor_id=caller.id,
            access_token=token,
            expires_in_seconds=caller.expires_at - self._clock.now().timestamp(),
        )
        connection.perform(session.admitted(admission, connection.now()))

    async def _join(self, connection: Connection[VisitorSession]) -> None:
        """Hold what comes, then ask how far the conversation goes: so nothing falls between."""
        admission = connection.session.admission
        if admission is None or not connection.is_open:
            return
        hub = self._hubs.of(admission.workspace_id)
        hub.attached.add(connection)
        self._rooms.hold(_key(admission), connection)
        while not hub.is_live:
            if not connection.is_open:
                return
            await hub.wait_for_news(HUB_POLL_SECONDS)
        try:
            answer = await self._web_chat.ListMessages(
                messaging_v1.WebChatServiceListMessagesRequest(page_size=1),
                timeout=LIST_SECONDS,
                metadata=_metadata(admission),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                connection.close(CloseCode.CREDENTIAL_ENDED, "the token was refused")
            else:
                connection.close(CloseCode.RESTART, "messaging is away; come back")
            return
        last_seq = max((message.seq for message in answer.messages), default=0)
        connection.perform(connection.session.joined(last_seq))
        self._rooms.release(_key(admission), connection)

    def _command(self, connection: Connection[VisitorSession], command: Command) -> None:
        """One at a time per box, so that messages are stored in the order they were written."""
        waiting = self._commands.get(connection)
        if waiting is None:
            self._commands[connection] = deque([command])
            self._jobs.start("visitor commands", self._run_commands(connection))
        elif len(waiting) >= MAX_WAITING:
            connection.close(CloseCode.TOO_MANY, "too many commands wait for their answers")
        else:
            waiting.append(command)

    async def _run_commands(self, connection: Connection[VisitorSession]) -> None:
        while waiting := self._commands.get(connection):
            command = waiting.popleft()
            ack = await self._run_command(connection, command)
            connection.perform(connection.session.answer(command.ref, ack))
        self._commands.pop(connection, None)

    async def _run_command(
        self, connection: Connection[VisitorSession], command: Command
    ) -> realtime_v1.VisitorAck:
        admission = connection.session.admission
        metadata = _metadata(admission) if admission is not None else []
        try:
            if isinstance(command, Acknowledge):
                await self._web_chat.AcknowledgeMessages(
                    command.request, timeout=CALL_SECONDS, metadata=metadata
                )
                return realtime_v1.VisitorAck()
            answer = await self._web_chat.PostMessage(
                command.request, timeout=CALL_SECONDS, metadata=metadata
            )
            return realtime_v1.VisitorAck(message=answer.message)
        except grpc.aio.AioRpcError as error:
            return realtime_v1.VisitorAck(error=as_value(of_rpc(error, "messaging")))

    def _type(self, connection: Connection[VisitorSession]) -> None:
        admission = connection.session.admission
        if admission is not None:
            self._presences.customer_types(admission.workspace_id, admission.conversation_id)


def _key(admission: VisitorAdmission) -> RoomKey:
    return admission.workspace_id, admission.conversation_id


def _metadata(admission: VisitorAdmission) -> Metadata:
    return [("authorization", f"Bearer {admission.access_token}")]
