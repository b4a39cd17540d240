"""Live hints: what a relay tells the moment events are numbered.

A hint carries all events that were numbered together, because a message costs NATS and each of
its readers more than the events in it. An event in a hint is final; a hint may be lost, or come
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from chassis.events import Event, NotAnEvent
from chassis.ids import WorkspaceId
from chassis.messages import Outgoing
from inbox.event import v1 as event_v1

MAX_HINT_BYTES = 512 * 1024
"""NATS takes messages of up to 1 MiB; a hint ends with the event that passes this."""


def subject_of(domain: str) -> str:
    """Where the hints of a domain are told."""
    return f"inbox.live.{domain}.events"


def hints_of(domain: str, events: Sequence[Event]) -> list[Outgoing]:
    """What tells of events of one log, in as few messages as will do."""
    subject = subject_of(domain)
    return [Outgoing(subject, hint.SerializeToString()) for hint in _filled(events)]


def events_of(payload: bytes) -> list[Event]:
    """The events of a hint. Raises: NotAnEvent."""
    try:
        hint = event_v1.LiveHint.FromString(payload)
    except DecodeError:
        raise NotAnEvent("a hint that is none") from None
    return [
        Event(
            event.gpos,
            hint.log_epoch,
            event.event_id,
            WorkspaceId(event.subject.rpartition(".")[2]),
            event.subject,
            event.ordering_key,
            event.payload,
            event.create_time,
            event.traceparent,
        )
        for event in hint.events
    ]


def reader(take: Callable[[Event], None]) -> Callable[[Msg], None]:
    """A subscriber that gives `take` each event of a hint; what is no hint is dropped."""

    def read(message: Msg) -> None:
        try:
            events = events_of(message.data)
        except NotAnEvent:
            return
        for event in events:
            take(event)

    return read


def _filled(events: Sequence[Event]) -> Iterator[event_v1.LiveHint]:
    hint, size_bytes = event_v1.LiveHint(), 0
    for event in events:
        if hint.events and (event.epoch != hint.log_epoch or size_bytes > MAX_HINT_BYTES):
            yield hint
            hint, size_bytes = event_v1.LiveHint(), 0
        hint.log_epoch = event.epoch
        hint.events.add(
            gpos=event.gpos,
            subject=event.subject,
            event_id=event.event_id,
            create_time=event.time_text,
            payload=event.payload,
            traceparent=event.traceparent,
            ordering_key=event.ordering_key,
        )
        size_bytes += len(event.payload)
    if hint.events:
        yield hint
