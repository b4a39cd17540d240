"""One agent's live socket as a state machine without I/O: frames and time in, actions out.

    NEW ──hello──▶ ADMITTING ──admitted──▶ JOINING ──joined──▶ LIVE ──▶ CLOSED
                       └─refused─▶ CLOSED (4401)

Nothing here waits, reads a clock or touches a socket; `connection` does, and carries out what is
asked for. Times are seconds on a clock that never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.actions import (
    Action,
    Emit,
    Exchange,
    Join,
    Ping,
    Present,
    SendMessage,
)
from gateway.close_codes import CloseCode
from gateway.frames import FrameInvalid, Received
from gateway.lifecycle import Lifecycle, State
from inbox.error import v1 as error_v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.encodings import Encoding

ANNOUNCE_BEFORE_SECONDS = 60.0
ANNOUNCE_AGAIN_SECONDS = 15.0
SENDERS = frozenset({policy_v1.ROLE_OWNER, policy_v1.ROLE_AGENT, policy_v1.ROLE_BOT})
SEEN_BY_COLLEAGUES = frozenset(
    {policy_v1.ROLE_OWNER, policy_v1.ROLE_AGENT, policy_v1.ROLE_READ_ONLY}
)
"""As the policies of SendMessage and PublishPresence say; a test compares them."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who the ticket stood for, and for how long."""

    member_id: str
    workspace_id: str
    role: int
    display_name: str
    credential_id: str
    access_token: str
    expire_time: int
    """Seconds since the epoch, for the client to read."""
    expires_in_seconds: float
    """From the moment of the exchange, for our own clock."""


class Session(Lifecycle):
    """The state machine."""

    __slots__ = (
        "_announce_at",
        "_encoding",
        "_position",
        "_refresh_ref",
        "admission",
    )

    def __init__(
        self, encoding: Encoding, now: float, draw: Callable[[float, float], float]
    ) -> None:
        super().__init__(now, draw)
        self.admission: Admission | None = None
        self._encoding = encoding
        self._position = ""
        self._announce_at = 0.0
        self._refresh_ref: int | None = None

    def receive(self, received: Received) -> list[Action]:
        """A whole message of the client."""
        if self.is_closed:
            return []
        try:
            asked = self._encoding.decode(received, realtime_v1.ClientFrame)
        except FrameInvalid as error:
            return self.close(CloseCode.MALFORMED, str(error))
        kind = asked.WhichOneof("body")
        if self.state is State.NEW:
            return self._hello(asked, kind)
        if kind is None or kind == "hello":
            return self.close(CloseCode.MALFORMED, f"a {kind or 'empty'} frame has no place here")
        if self.state is not State.LIVE:
            return self.close(CloseCode.MALFORMED, f"{kind} came before the server's hello")
        match kind:
            case "token_refresh":
                return self._refresh(asked.ref, asked.token_refresh.ticket)
            case "send_message":
                return self._send(asked)
            case _:
                return self._present(asked)

    def admitted(self, admission: Admission, now: float) -> list[Action]:
        """The ticket was good."""
        if self.state is State.ADMITTING:
            self._take(admission, now)
            self._begin_to_join(now)
            return [Join(self._position)]
        if self.state is not State.LIVE or self.admission is None or self._refresh_ref is None:
            return []
        before = self.admission
        if (admission.member_id, admission.workspace_id) != (before.member_id, before.workspace_id):
            return self.close(CloseCode.FORBIDDEN, "the fresh ticket is somebody else's")
        ref, self._refresh_ref = self._refresh_ref, None
        self._take(admission, now)
        return self._done(ref)

    def refused(self, error: error_v1.Error, *, is_temporary: bool) -> list[Action]:
        """The ticket was not good, or nobody could tell."""
        if self.state is State.ADMITTING:
            if is_temporary:
                return self.close(CloseCode.RESTART, "identity does not answer; come back")
            return self.close(CloseCode.CREDENTIAL_ENDED, error.message)
        if self.state is not State.LIVE or self._refresh_ref is None:
            return []
        ref, self._refresh_ref = self._refresh_ref, None
        # The old token is good until its end; the next announcement makes the client try again.
        return self.answer(ref, realtime_v1.Ack(error=error))

    def joined(self, position: str, *, is_resumed: bool) -> list[Action]:
        """The stream is about to flow; the frames after `position` follow this answer."""
        if self.state is not State.JOINING or self.admission is None:
            return []
        self.state = State.LIVE
        hello = realtime_v1.Hello(
            member_id=self.admission.member_id,
            workspace_id=self.admission.workspace_id,
            token_expire_time=Timestamp(seconds=self.admission.expire_time),
            is_resumed=is_resumed,
        )
        actions: list[Action] = [
            Emit(realtime_v1.ServerFrame(position=position, hello=hello)),
        ]
        if self._position and not is_resumed:
            resync = realtime_v1.ResyncRequired()
            actions.append(Emit(realtime_v1.ServerFrame(position=position, resync_required=resync)))
        self._position = ""
        return actions

    def answer(self, ref: int, ack: realtime_v1.Ack) -> list[Action]:
        """What became of a client frame; the Ack's outcome is set already."""
        if not ref or self.is_closed:
            return []
        ack.ref = ref
        return [Emit(realtime_v1.ServerFrame(ack=ack))]

    def tick(self, now: float) -> list[Action]:
        """Time passed."""
        if self.is_closed:
            return []
        overdue = self._overdue(now)
        if overdue:
            return overdue
        actions: list[Action] = []
        if self.state is State.LIVE:
            actions += self._announce_expiry(now)
        if self._pulse.is_ping_due(now):
            actions.append(Ping())
        return actions

    def leave(self, delay_millis: int) -> list[Action]:
        """The server is going away: the client shall come back after the delay."""
        if self.state is not State.LIVE:
            return []
        reconnect = realtime_v1.Reconnect(delay_millis=delay_millis)
        return [Emit(realtime_v1.ServerFrame(reconnect=reconnect))]

    def _hello(self, asked: realtime_v1.ClientFrame, kind: str | None) -> list[Action]:
        if kind != "hello":
            return self.close(CloseCode.MALFORMED, "the first frame must be a hello")
        if not asked.hello.ticket:
            return self.close(CloseCode.CREDENTIAL_ENDED, "the hello brings no ticket")
        self.state = State.ADMITTING
        self._position = asked.hello.position
        return [Exchange(asked.hello.ticket)]

    def _take(self, admission: Admission, now: float) -> None:
        self.admission = admission
        self._expires_at = now + admission.expires_in_seconds
        self._announce_at = self._expires_at - ANNOUNCE_BEFORE_SECONDS

    def _refresh(self, ref: int, ticket: str) -> list[Action]:
        if self._refresh_ref is not None:
            error = _invalid("token_refresh", "one is under way already")
            return self.answer(ref, realtime_v1.Ack(error=error))
        self._refresh_ref = ref
        return [Exchange(ticket)]

    def _send(self, asked: realtime_v1.ClientFrame) -> list[Action]:
        if self.admission is None or self.admission.role not in SENDERS:
            error = self._role_not_allowed(SENDERS)
            return self.answer(asked.ref, realtime_v1.Ack(error=error))
        return [SendMessage(asked.ref, asked.send_message)]

    def _present(self, asked: realtime_v1.ClientFrame) -> list[Action]:
        if self.admission is None or self.admission.role not in SEEN_BY_COLLEAGUES:
            error = self._role_not_allowed(SEEN_BY_COLLEAGUES)
            return self.answer(asked.ref, realtime_v1.Ack(error=error))
        return [Present(asked.presence), *self._done(asked.ref)]

    def _announce_expiry(self, now: float) -> list[Action]:
        if self.admission is None or now < self._announce_at:
            return []
        self._announce_at = now + ANNOUNCE_AGAIN_SECONDS
        expiring = realtime_v1.TokenExpiring(
            expire_time=Timestamp(seconds=self.admission.expire_time)
        )
        return [Emit(realtime_v1.ServerFrame(token_expiring=expiring))]

    def _done(self, ref: int) -> list[Action]:
        return self.answer(ref, realtime_v1.Ack(done=realtime_v1.Done()))

    def _role_not_allowed(self, allowed: frozenset[int]) -> error_v1.Error:
        role = self.admission.role if self.admission else 0
        allowed_roles = ", ".join(sorted(_role_name(role) for role in allowed))
        return error_v1.Error(
            code=grpc.StatusCode.PERMISSION_DENIED.value[0],
            reason=error_v1.REASON_ROLE_NOT_ALLOWED,
            message=f"role {_role_name(role)} may not do this; allowed: {allowed_roles}",
            metadata={"role": _role_name(role), "allowed_roles": allowed_roles},
        )


def _role_name(role: int) -> str:
    names: Mapping[int, str] = {number: name for name, number in policy_v1.Role.items()}
    return names.get(role, "ROLE_UNSPECIFIED").removeprefix("ROLE_").lower()


def _invalid(field: str, rule: str) -> error_v1.Error:
    return error_v1.Error(
        code=grpc.StatusCode.INVALID_ARGUMENT.value[0],
        reason=error_v1.REASON_INVALID_ARGUMENT,
        message=f"{field}: {rule}",
        metadata={"field": field, "rule": rule},
    )
