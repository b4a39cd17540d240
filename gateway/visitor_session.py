"""One customer's chat box as a state machine without I/O; the visitor's side of `session`.

    NEW ──hello──▶ VERIFYING ──admitted──▶ JOINING ──joined──▶ LIVE ──▶ CLOSED

There is no resume here: the hello says how far the conversation goes, and the box lists what it
lacks.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.actions import (
    Acknowledge,
    Action,
    Close,
    CustomerTypes,
    Emit,
    Join,
    Ping,
    Post,
    Verify,
)
from gateway.close_codes import CloseCode
from gateway.frames import FrameInvalid, Received
from gateway.liveness import HELLO_WITHIN, Pulse
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.encodings import Encoding
    from inbox.error import v1 as error_v1

JOIN_WITHIN_SECONDS = 15.0


class State(enum.Enum):
    """How far the socket got."""

    NEW = enum.auto()
    VERIFYING = enum.auto()
    JOINING = enum.auto()
    LIVE = enum.auto()
    CLOSED = enum.auto()


@dataclass(frozen=True, slots=True)
class VisitorAdmission:
    """Which conversation the token is good for, and for how long."""

    workspace_id: str
    conversation_id: str
    visitor_id: str
    access_token: str
    expires_in_seconds: float


class VisitorSession:
    """The state machine."""

    __slots__ = (
        "_deadline",
        "_encoding",
        "_expires_at",
        "_pulse",
        "_renewing",
        "admission",
        "state",
    )

    def __init__(
        self, encoding: Encoding, now: float, draw: Callable[[float, float], float]
    ) -> None:
        self.state = State.NEW
        self.admission: VisitorAdmission | None = None
        self._encoding = encoding
        self._deadline = now + HELLO_WITHIN.total_seconds()
        self._pulse = Pulse(now, draw)
        self._expires_at = 0.0
        self._renewing: int | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the end was decided."""
        return self.state is State.CLOSED

    def heard(self, now: float) -> None:
        """Bytes came, whatever they say."""
        self._pulse.heard(now)

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
        if self.state is State.VERIFYING:
            self._take(admission, now)
            self.state = State.JOINING
            self._deadline = now + JOIN_WITHIN_SECONDS
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
        if self.state is State.VERIFYING:
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
        if self._pulse.is_dead(now):
            return self.close(CloseCode.TOO_SLOW, "no sign of life")
        if self.state is State.NEW and now >= self._deadline:
            return self.close(CloseCode.CREDENTIAL_ENDED, "the token did not come in time")
        if self.state in {State.VERIFYING, State.JOINING} and now >= self._deadline:
            return self.close(CloseCode.RESTART, "the live stream is away; come back")
        if self.state is State.LIVE and now >= self._expires_at:
            return self.close(CloseCode.CREDENTIAL_ENDED, "the access token has ended")
        return [Ping()] if self._pulse.is_ping_due(now) else []

    def leave(self, delay_millis: int) -> list[Action]:
        """The server is going away: the box shall come back after the delay."""
        if self.state is not State.LIVE:
            return []
        reconnect = realtime_v1.VisitorReconnect(delay_millis=delay_millis)
        return [Emit(realtime_v1.VisitorServerFrame(reconnect=reconnect))]

    def close(self, code: CloseCode, reason: str) -> list[Action]:
        """End it, whoever asks."""
        if self.is_closed:
            return []
        self.state = State.CLOSED
        return [Close(code, reason)]

    def _hello(self, asked: realtime_v1.VisitorClientFrame) -> list[Action]:
        token = asked.hello.access_token
        if self.state is State.NEW:
            if not token:
                return self.close(CloseCode.CREDENTIAL_ENDED, "the hello brings no token")
            self.state = State.VERIFYING
            return [Verify(token)]
        if self.state is not State.LIVE or self._renewing is not None:
            return self.close(CloseCode.MALFORMED, "a hello is under way already")
        self._renewing = asked.ref
        return [Verify(token)]

    def _take(self, admission: VisitorAdmission, now: float) -> None:
        self.admission = admission
        self._expires_at = now + admission.expires_in_seconds
