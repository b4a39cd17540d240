"""Agents' live sockets: what their sessions ask for, done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from chassis.rpc.faults import AWAY
from gateway import wire
from gateway.actions import Action, Exchange, Join, Present, SendMessage
from gateway.close_codes import CloseCode
from gateway.errors import of_rpc
from gateway.jobs import TooManyJobs
from gateway.session import Admission, Session
from inbox.error import v1 as error_v1
from inbox.identity import v1 as identity_v1
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from chassis.clock import Clock
    from gateway.catch_up import CatchUp
    from gateway.connection import Connection
    from gateway.errors import EdgeError
    from gateway.hub import Hub
    from gateway.hubs import Hubs
    from gateway.jobs import Jobs
    from gateway.presence import Presences
    from gateway.ring import Event
    from gateway.sends import Sends
    from gateway.upstream import Upstream
    from inbox.messaging import v1 as messaging_v1

EXCHANGE_SECONDS = 5.0
Socket = Any
"""A Connection[Session]; the endpoint protocol does not know which session it has."""


class Agents:
    """The endpoint of `/ws`."""

    kind = "agent"

    def __init__(
        self,
        *,
        upstream: Upstream,
        hubs: Hubs,
        catch_up: CatchUp,
        sends: Sends,
        presences: Presences,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._identity = identity_v1.IdentityServiceStub(upstream.own("identity"))
        self._hubs = hubs
        self._catch_up = catch_up
        self._sends = sends
        self._presences = presences
        self._jobs = jobs
        self._clock = clock

    def act(self, connection: Connection[Session], action: Action) -> None:
        """Begin what the session asked for."""
        try:
            match action:
                case Exchange():
                    self._jobs.start("exchange", self._exchange(connection, action.ticket))
                case Join():
                    self._jobs.start("attach", self._attach(connection, action.position))
                case SendMessage():
                    self._send(connection, action)
                case Present():
                    self._present(connection, action.update)
        except TooManyJobs:
            connection.close(CloseCode.RESTART, "this gateway is too busy; come back")

    def gone(self, connection: Connection[Session]) -> None:
        """Forget a socket."""
        admission = connection.session.admission
        if admission is None:
            return
        self._hubs.leave(admission.workspace_id, connection)
        self._presences.left(connection, _key(admission))

    def notice(self, hub: Hub, event: Event) -> None:
        """What the hub hears that concerns the sockets themselves."""
        if event.kind == wire.PRESENCE:
            presence = realtime_v1.ServerFrame.FromString(event.raw).presence
            self._presences.heard(hub.workspace_id, presence)
        elif event.kind in _REVOKING:
            frame = realtime_v1.ServerFrame.FromString(event.raw)
            for connection in tuple(hub.attached):
                _end_if_revoked(connection, frame)

    async def _exchange(self, connection: Connection[Session], ticket: str) -> None:
        asked = identity_v1.ExchangeTokenRequest(ticket=ticket)
        try:
            answer = await self._identity.ExchangeToken(asked, timeout=EXCHANGE_SECONDS)
        except grpc.aio.AioRpcError as error:
            refusal = of_rpc(error, "identity")
            is_temporary = error.code() in AWAY
            actions = connection.session.refused(as_value(refusal), is_temporary=is_temporary)
            connection.perform(actions)
            return
        expire_time = answer.access_token.expire_time.seconds
        admission = Admission(
            member_id=answer.subject.id,
            workspace_id=answer.subject.workspace_id,
            role=answer.subject.role,
            display_name=answer.subject.display_name,
            credential_id=answer.credential_id,
            access_token=answer.access_token.token,
            expire_time=expire_time,
            expires_in_seconds=expire_time - self._clock.now().timestamp(),
        )
        connection.perform(connection.session.admitted(admission, connection.now()))

    async def _attach(self, connection: Connection[Session], position: str) -> None:
        admission = connection.session.admission
        if admission is None or not connection.is_open:
            return
        hub = self._hubs.of(admission.workspace_id)
        hub.attached.add(connection)
        await self._catch_up.attach(connection, hub, position)
        if connection.is_open:
            self._presences.came(connection, _key(admission), admission.display_name)

    def _send(self, connection: Connection[Session], action: SendMessage) -> None:
        admission = connection.session.admission
        if admission is None:
            return
        ref = action.ref

        def deliver(result: messaging_v1.SendMessagesResult) -> None:
            if result.HasField("sent"):
                ack = realtime_v1.Ack(sent=result.sent)
            else:
                ack = realtime_v1.Ack(error=result.error)
            connection.perform(connection.session.answer(ref, ack))

        self._sends.submit(action.request, admission.access_token, deliver)

    def _present(self, connection: Connection[Session], update: realtime_v1.PresenceUpdate) -> None:
        admission = connection.session.admission
        if admission is not None:
            self._presences.update(connection, _key(admission), update)


_REVOKING = frozenset({wire.MEMBER_CHANGED, wire.API_KEY_CHANGED, wire.SESSION_REVOKED})


def as_value(error: EdgeError) -> error_v1.Error:
    """An error as a field of a frame."""
    name = f"REASON_{error.reason or 'UNSPECIFIED'}"
    known = error_v1.Reason.keys()
    return error_v1.Error(
        code=error.code.value[0],
        reason=error_v1.Reason.Value(name if name in known else "REASON_UNSPECIFIED"),
        message=error.message,
        metadata=error.metadata,
    )


def _key(admission: Admission) -> tuple[str, str]:
    return admission.workspace_id, admission.member_id


def _end_if_revoked(connection: Socket, frame: realtime_v1.ServerFrame) -> None:
    session = connection.session
    if not isinstance(session, Session) or session.admission is None:
        return
    admission = session.admission
    match frame.WhichOneof("body"):
        case "session_revoked":
            if frame.session_revoked.session_id == admission.credential_id:
                connection.close(CloseCode.FORBIDDEN, "the session has ended")
        case "api_key_changed":
            key = frame.api_key_changed.api_key
            if key.id == admission.credential_id and key.HasField("revoke_time"):
                connection.close(CloseCode.FORBIDDEN, "the API key was revoked")
        case "member_changed":
            member = frame.member_changed.member
            if member.id != admission.member_id:
                return
            if member.state == identity_v1.MEMBER_STATE_REMOVED:
                connection.close(CloseCode.FORBIDDEN, "the member was removed")
            elif member.role != admission.role:
                # The old token says what they no longer are; a fresh one says what they are now.
                connection.close(CloseCode.CREDENTIAL_ENDED, "the member's role was changed")
