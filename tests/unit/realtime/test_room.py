"""A room's memory: what is kept, what somebody from elsewhere lacks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.realtime.model import Entry, Room, Rooms, Vector, Watcher, WatcherTooSlow
from services.realtime.model import room as room_module
from services.realtime.model import watcher as watcher_module


def a_room(vector: Vector = (0, 0, 0)) -> Room:
    return Room("w", vector, "p", 0.0)


def entry(source: int, gpos: int, vector: Vector) -> Entry:
    return Entry(source, gpos, b"body", vector, str(vector), b"chunk")


def places(entries: Sequence[Entry] | None) -> list[tuple[int, int]] | None:
    return None if entries is None else [(one.source, one.gpos) for one in entries]


def test_a_watcher_from_elsewhere_gets_what_it_lacks_and_no_more() -> None:
    room = a_room()
    room.append(entry(2, 5, (0, 0, 5)))
    room.append(entry(0, 3, (3, 0, 5)))
    room.append(entry(2, 9, (3, 1, 9)))

    assert places(room.after((0, 0, 0))) == [(2, 5), (0, 3), (2, 9)]
    assert places(room.after((3, 0, 4))) == [(2, 5), (2, 9)]
    assert places(room.after((2, 7, 9))) == [(0, 3)]
    assert places(room.after((3, 1, 9))) == []


def test_a_memory_that_begins_later_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "MAX_ENTRIES", 2)
    room = a_room((1, 1, 1))
    for gpos in (2, 3, 4):
        room.append(entry(2, gpos, (1, 1, gpos)))

    assert places(room.after((1, 1, 1))) is None
    assert places(room.after((1, 1, 2))) == [(2, 3), (2, 4)]
    assert places(room.after((0, 1, 4))) is None


async def test_a_slow_watcher_costs_a_bounded_amount_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watcher_module, "MAX_FRAMES", 10)
    room, slow = a_room(), Watcher()
    room.watchers.add(slow)

    for _ in range(20):
        room.tell([b"frame"], now=1.0)

    assert room.watchers == set()
    with pytest.raises(WatcherTooSlow):
        await slow.take()


async def test_only_the_newest_word_about_somebody_waits() -> None:
    watcher = Watcher()
    watcher.offer(b"event ", 1)
    for word in (b"a1 ", b"a2 "):
        watcher.offer_presence("a", word)
    watcher.offer_presence("b", b"b1")

    assert await watcher.take() == [b"event a2 b1"]


async def test_large_frames_travel_in_messages_of_a_bearable_size() -> None:
    watcher = Watcher()
    for _ in range(10):
        watcher.offer(b"x" * 300_000, 1)

    assert [len(message) for message in await watcher.take()] == [900_000] * 3 + [300_000]


def test_a_room_outlives_its_last_guest_for_a_while() -> None:
    rooms = Rooms(lambda workspace_id: Room(workspace_id, (0, 0, 0), "", 0.0))
    room = rooms.enter("w")
    rooms.leave(room, now=10.0)

    rooms.sweep(now=60.0)
    assert rooms.enter("w") is room
    rooms.sweep(now=200.0)
    assert rooms.find("w") is room
    rooms.leave(room, now=200.0)
    rooms.sweep(now=261.0)

    assert rooms.find("w") is None
