"""Events kept with the data: rows of the same transaction, numbered and published later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.errors import InvalidArgument
from chassis.ids import WorkspaceId, new_id

MAX_EVENT_BYTES = 256 * 1024
"""A larger one would stop the relay for good, so it is refused where it is written."""


@dataclass(eq=False)
class EventTooLarge(InvalidArgument):
    """The change makes an event that the log cannot carry."""

    subject: str
    size_bytes: int
    reason = "TOO_LARGE"

    def __str__(self) -> str:
        return f"the change is {self.size_bytes} bytes as an event; at most {MAX_EVENT_BYTES} fit"


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """A fact that becomes an event when its transaction commits."""

    subject: str
    """`inbox.<domain>.v1.<event_in_snake_case>.<workspace_id>`."""
    workspace_id: WorkspaceId
    ordering_key: str
    """Consumers apply events of one key in order, also when one of them is parked."""
    payload: bytes
    """The serialised event message."""


def subject(domain: str, event: str, workspace_id: WorkspaceId) -> str:
    """The NATS subject of an event."""
    return f"inbox.{domain}.v1.{event}.{workspace_id}"


APPEND = """
INSERT INTO outbox
    (event_id, workspace_id, subject, ordering_key, payload, create_time, traceparent)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[],
                     $6::timestamptz[], $7::text[])
"""


async def append(
    transaction: Transaction,
    events: Sequence[OutgoingEvent],
    *,
    at: datetime,
    traceparent: str = "",
) -> None:
    """Write events into the outbox, in order, after the rows they tell of are locked.

    Raises: EventTooLarge.
    """
    if not events:
        return
    for event in events:
        if len(event.payload) > MAX_EVENT_BYTES:
            raise EventTooLarge(subject=event.subject, size_bytes=len(event.payload))
    count = len(events)
    await transaction.raw.execute(
        APPEND,
        [new_id() for _ in events],
        [event.workspace_id for event in events],
        [event.subject for event in events],
        [event.ordering_key for event in events],
        [event.payload for event in events],
        [at] * count,
        [traceparent] * count,
    )
