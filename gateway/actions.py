"""What a session wants done: the answers of the state machines, carried out by `connection`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gateway.close_codes import CloseCode
    from inbox.messaging import v1 as messaging_v1
    from inbox.realtime import v1 as realtime_v1


@dataclass(frozen=True, slots=True)
class Emit:
    """Send a frame to this client only."""

    message: Message


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask whether the client is there."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the socket."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Turn a ticket into an admission and hand it to `admitted`, or the refusal to `refused`."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Join:
    """Give it the workspace's stream after this position; empty starts now."""

    position: str


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send in the member's name; the outcome goes to `answer`."""

    ref: int
    request: messaging_v1.SendMessageRequest


@dataclass(frozen=True, slots=True)
class Present:
    """Tell colleagues where the member is."""

    update: realtime_v1.PresenceUpdate


@dataclass(frozen=True, slots=True)
class Verify:
    """Check a visitor's access token; the outcome goes to `admitted` or `refused`."""

    token: str


@dataclass(frozen=True, slots=True)
class Post:
    """Post in the visitor's name; the outcome goes to `answer`."""

    ref: int
    request: messaging_v1.PostMessageRequest


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Say what the visitor's box has and showed."""

    ref: int
    request: messaging_v1.AcknowledgeMessagesRequest


@dataclass(frozen=True, slots=True)
class CustomerTypes:
    """Tell agents that the customer is typing."""


Action = (
    Emit
    | Ping
    | Close
    | Exchange
    | Join
    | SendMessage
    | Present
    | Verify
    | Post
    | Acknowledge
    | CustomerTypes
)
