"""Hints: many events in few messages, and nothing but hints is read."""

from __future__ import annotations

import pytest

from chassis.events import Event, NotAnEvent
from chassis.hints import MAX_HINT_BYTES, events_of, hints_of
from chassis.ids import WorkspaceId, new_id


def an_event(gpos: int, *, epoch: str = "life", payload: bytes = b"x") -> Event:
    workspace_id = WorkspaceId(new_id())
    return Event(
        gpos,
        epoch,
        new_id(),
        workspace_id,
        f"inbox.messaging.v1.message_created.{workspace_id}",
        "a conversation",
        payload,
        "2026-11-24T12:00:00.000001Z",
        "00-aa-bb-01",
    )


def told(events: list[Event]) -> list[list[Event]]:
    return [events_of(hint.payload) for hint in hints_of("messaging", events)]


def test_events_numbered_together_are_one_hint_and_come_out_as_they_went_in() -> None:
    events = [an_event(gpos) for gpos in range(1, 40)]

    assert told(events) == [events]


def test_what_is_too_large_for_one_message_is_several() -> None:
    events = [an_event(gpos, payload=b"x" * (MAX_HINT_BYTES // 3)) for gpos in range(1, 10)]

    hints = told(events)

    assert len(hints) > 1
    assert [event for hint in hints for event in hint] == events


def test_another_life_of_the_log_is_another_hint() -> None:
    events = [an_event(9, epoch="old"), an_event(1, epoch="new")]

    assert told(events) == [[events[0]], [events[1]]]


def test_what_is_no_hint_is_refused() -> None:
    with pytest.raises(NotAnEvent):
        events_of(b"\xff\xff")
