"""An event as it stands in its owner's log, and how it looks on NATS.

In the stream the body is the bare protobuf message and everything else travels in headers; how
events look in a live hint says `chassis.hints`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from chassis.ids import WorkspaceId

EVENT_ID = "Inbox-Event-Id"
TIME = "Inbox-Time"
GPOS = "Inbox-Gpos"
EPOCH = "Inbox-Epoch"
ORDERING_KEY = "Inbox-Ordering-Key"
TRACEPARENT = "traceparent"

SNAPSHOT_GPOS = 0
"""The position of what a rebuild applies: an entity's present state, not an event of the log."""


class Event(NamedTuple):
    """One event of a log, or on a rebuild one entity as the event that would announce it."""

    gpos: int
    """Position in the owner's log, dense from 1; SNAPSHOT_GPOS for an entity of a snapshot."""
    epoch: str
    """Which life of the owner's database it belongs to."""
    event_id: str
    workspace_id: WorkspaceId
    subject: str
    """`inbox.<domain>.v1.<event>.<workspace_id>`."""
    ordering_key: str
    """Events of one key are applied in order."""
    payload: bytes
    """The serialised event message."""
    time_text: str
    """When the change was committed, RFC 3339."""
    traceparent: str = ""

    @property
    def event(self) -> str:
        """The event's name in snake case, `message_created`."""
        return self.subject.rsplit(".", 2)[-2]

    @property
    def time(self) -> datetime:
        """When the change was committed."""
        return datetime.fromisoformat(self.time_text)

    def lines(self) -> str:
        """The headers that travel beside the payload, as they stand on the wire."""
        trace = f"{TRACEPARENT}: {self.traceparent}\r\n" if self.traceparent else ""
        return (
            f"{EVENT_ID}: {self.event_id}\r\n{TIME}: {self.time_text}\r\n"
            f"{GPOS}: {self.gpos}\r\n{EPOCH}: {self.epoch}\r\n"
            f"{ORDERING_KEY}: {self.ordering_key}\r\n{trace}"
        )


class NotAnEvent(Exception):
    """A message on our subjects that no relay of ours wrote."""


def event_of(subject: str, headers: Mapping[str, str] | None, payload: bytes) -> Event:
    """Read an event from a message of the stream. Raises: NotAnEvent."""
    if headers is None:
        raise NotAnEvent(subject)
    try:
        return Event(
            int(headers[GPOS]),
            headers[EPOCH],
            headers[EVENT_ID],
            WorkspaceId(subject.rpartition(".")[2]),
            subject,
            headers[ORDERING_KEY],
            payload,
            headers[TIME],
            headers.get(TRACEPARENT, ""),
        )
    except (KeyError, ValueError):
        raise NotAnEvent(subject) from None


def domain_of(stream: str) -> str:
    """The domain of a stream: INBOX_MESSAGING holds `inbox.messaging.>`."""
    return stream.removeprefix("INBOX_").lower()


def text_of(time: datetime) -> str:
    """A time as the header carries it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
