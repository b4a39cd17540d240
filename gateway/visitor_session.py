"""One customer's chat box as a state machine without I/O; the visitor's side of `session`.

    NEW ──hello──▶ ADMITTING ──admitted──▶ JOINING ──joined──▶ LIVE ──▶ CLOSED

There is no resume here: the hello says how far the conversation goes, and the box lists what it
lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.actions import (
    Acknowledge,
    Action,
    CustomerTypes,
    Emit,
    Join,
    Ping,
    Post,
    Verify,
)
from gateway.close_codes import CloseCode
from gateway.frames import FrameInvalid, Received
from gateway.lifecycle import Lifecycle, State
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.encodings import Encoding
    from inbox.error import v1 as error_v1


@dataclass(frozen=True, slots=True)
class VisitorAdmission:
    """Which conversation the token is good for, and for how long."""

    workspace_id: str
    conversation_id: str
    visitor_id: str
    access_token: str
    expires_in_seconds: float


class VisitorSession(Lifecycle):
    """The state machine."""

    __slots__ = (
        "_encoding",
        "_renewing",
        "admission",
    )

    def __init__(
        self, encoding: Encoding, now: float, draw: Callable[[float, float], float]
    ) -> None:
        super().__init__(now, draw)
        self.admission: VisitorAdmission | None = None
        self._encoding = encoding
        self._renewing: int | None = None

    def receive(self, received: Received) -> list[Action]:
        """A whole message of the box."""
        if self.is_closed:
            return []
        try:
            asked = self._encoding.decode(received, realtime_v1.VisitorClientFrame)
        except FrameInvalid as error:
            return self.close(CloseCode.MALFORMED, str(error))
        kind = asked.WhichOneof("body")
        if kind == "hello":
            return self._hello(asked)
        if kind is None or self.state is State.NEW:
            return self.close(CloseCode.MALFORMED, "the first frame must be a hello")
        if self.state is not State.LIVE:
            return self.close(CloseCode.MALFORMED, f"{kind} came before the server's hello")
        match kind:
            case "post_message":
                return [Post(asked.ref, asked.post_message)]
            case "acknowledge_messages":
                return [Acknowledge(asked.ref, asked.acknowledge_messages)]
            case _:
                return [CustomerTypes(), *self.answer(asked.ref, realtime_v1.VisitorAck())]

    def admitted(self, admission: VisitorAdmission, now: float) -> list[Action]:
        """The token is genuine."""
        if self.state is State.ADMITTING:
            self._take(admission, now)
            self._begin_to_join(now)
            return [Join("")]
        if self.state is not State.LIVE or self.admission is None or self._renewing is None:
            return []
        if admission.conversation_id != self.admission.conversation_id:
            return self.close(CloseCode.FORBIDDEN, "the fresh token is for another conversation")
        ref, self._renewing = self._renewing, None
        self._take(admission, now)
        return self.answer(ref, realtime_v1.VisitorAck())

    def refused(self, error: error_v1.Error, *, is_temporary: bool) -> list[Action]:
        """The token is not good, or nobody could tell."""
        if self.state is State.ADMITTING:
            if is_temporary:
                return self.close(CloseCode.RESTART, "the token cannot be checked now; come back")
            return self.close(CloseCode.CREDENTIAL_ENDED, error.message)
        if self.state is not State.LIVE or self._renewing is None:
            return []
        ref, self._renewing = self._renewing, None
        return self.answer(ref, realtime_v1.VisitorAck(error=error))

    def joined(self, last_seq: int) -> list[Action]:
        """News of the conversation flow from here on."""
        if self.state is not State.JOINING:
            return []
        self.state = State.LIVE
        hello = realtime_v1.VisitorHello(last_seq=last_seq)
        return [Emit(realtime_v1.VisitorServerFrame(hello=hello))]

    def answer(self, ref: int, ack: realtime_v1.VisitorAck) -> list[Action]:
        """What became of a frame of the box."""
        if not ref or self.is_closed:
            return []
        ack.ref = ref
        return [Emit(realtime_v1.VisitorServerFrame(ack=ack))]

    def tick(self, now: float) -> list[Action]:
        """Time passed."""
        if self.is_closed:
            return []
        overdue = self._overdue(now)
        if overdue:
            return overdue
        return [Ping()] if self._pulse.is_ping_due(now) else []

    def leave(self, delay_millis: int) -> list[Action]:
        """The server is going away: the box shall come back after the delay."""
        if self.state is not State.LIVE:
            return []
        reconnect = realtime_v1.VisitorReconnect(delay_millis=delay_millis)
        return [Emit(realtime_v1.VisitorServerFrame(reconnect=reconnect))]

    def _hello(self, asked: realtime_v1.VisitorClientFrame) -> list[Action]:
        token = asked.hello.access_token
        if self.state is State.NEW:
            if not token:
                return self.close(CloseCode.CREDENTIAL_ENDED, "the hello brings no token")
            self.state = State.ADMITTING
            return [Verify(token)]
        if self.state is not State.LIVE or self._renewing is not None:
            return self.close(CloseCode.MALFORMED, "a hello is under way already")
        self._renewing = asked.ref
        return [Verify(token)]

    def _take(self, admission: VisitorAdmission, now: float) -> None:
        self.admission = admission
        self._expires_at = now + admission.expires_in_seconds
