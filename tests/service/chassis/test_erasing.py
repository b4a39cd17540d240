"""Erased events: gone from log, stream and files, and no reader stumbles over their places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.bus import Bus
from chassis.database import Database
from chassis.erasing import ERASED, StreamEraser, erase_events, position_after
from chassis.event_log import EventLog
from chassis.events import Event
from chassis.feed import Feed
from chassis.fence import FencedWriter
from chassis.ids import WorkspaceId
from chassis.relay import Relay
from chassis.sequencer import prepare, sequence, stand
from chassis.stream import EventStream
from tests.canary import a_canary
from tests.servers import breakable_nats
from tests.service.chassis.consuming import Desk, desk_on
from tests.service.chassis.eventing import (
    STREAM,
    LocalLog,
    NoEntities,
    a_workspace,
    connected_bus,
    emit,
    last_gpos,
    running,
    stream_payloads,
    until,
)

ANA, BEN = "conversation-of-ana", "conversation-of-ben"


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    async with connected_bus(nats_url) as bus:
        yield bus


@pytest.fixture
async def desk(app: Database, worker: Database, bus: Bus) -> AsyncIterator[Desk]:
    async with desk_on(app, worker, bus) as desk:
        yield desk


async def erase(desk: Desk, workspace: WorkspaceId, *keys: str) -> None:
    async with desk.worker.begin(workspace) as transaction:
        await erase_events(transaction, keys)


async def is_published(desk: Desk, gpos: int) -> bool:
    state = await desk.stream.state()
    return state is not None and state.last_seq >= gpos


async def published(desk: Desk, workspace: WorkspaceId, *said: tuple[str, str]) -> None:
    """Events of keys, one commit each, and in the stream."""
    before = await last_gpos(desk.worker)
    for key, payload in said:
        await desk.emit(workspace, payload, key=key)
    await until(lambda: is_published(desk, before + len(said)))


async def read_all(desk: Desk, count: int, after: int = 0) -> list[Event]:
    """What a reader gets who begins there."""
    async with desk.worker.begin() as transaction:
        epoch = (await stand(transaction.raw)).log_epoch
    events: list[Event] = []
    async with Feed(desk.bus, STREAM, desk.owner, log_epoch=epoch, gpos=after) as feed:
        while len(events) < count:
            events += await feed.next()
    return events


async def in_stream(desk: Desk) -> list[tuple[int, bytes]]:
    return [(event.gpos, event.payload) for event in await desk.stream.read(1)]


async def test_an_erased_event_leaves_the_stream_and_keeps_its_place_in_the_log(desk: Desk) -> None:
    workspace = a_workspace()
    await published(desk, workspace, (ANA, "a1"), (BEN, "b1"), (ANA, "a2"), (BEN, "b2"))

    await erase(desk, workspace, ANA)
    assert await StreamEraser(desk.worker, desk.bus, STREAM).step() == 2

    assert await in_stream(desk) == [(2, b"b1"), (4, b"b2")]
    logged = (await desk.owner.read(1)).events
    assert [(event.gpos, event.event, event.payload) for event in logged] == [
        (1, ERASED, b""),
        (2, "message_created", b"b1"),
        (3, ERASED, b""),
        (4, "message_created", b"b2"),
    ]


async def test_a_reader_who_comes_later_passes_over_the_holes_without_one(desk: Desk) -> None:
    workspace = a_workspace()
    await published(desk, workspace, (ANA, "a1"), (BEN, "b1"), (ANA, "a2"), (BEN, "b2"))
    await erase(desk, workspace, ANA)
    await StreamEraser(desk.worker, desk.bus, STREAM).step()

    read = await read_all(desk, 4)

    assert [event.gpos for event in read] == [1, 2, 3, 4]
    assert [event.payload for event in read] == [b"", b"b1", b"", b"b2"]


async def test_a_reader_reaches_the_end_also_when_the_newest_events_were_erased(desk: Desk) -> None:
    workspace = a_workspace()
    await published(desk, workspace, (BEN, "b1"), (ANA, "a1"), (ANA, "a2"))
    await erase(desk, workspace, ANA)
    await StreamEraser(desk.worker, desk.bus, STREAM).step()

    read = await read_all(desk, 3)

    assert [event.gpos for event in read] == [1, 2, 3]


async def test_a_consumer_applies_what_comes_after_an_erased_event(desk: Desk) -> None:
    workspace = a_workspace()
    await published(desk, workspace, (ANA, "a1"), (BEN, "b1"))
    await erase(desk, workspace, ANA)
    await StreamEraser(desk.worker, desk.bus, STREAM).step()
    await desk.place_cursor(0)

    async with running(desk.consumer().run):
        await desk.emit(workspace, "b2", key=BEN)
        await desk.until_applied(3)

    assert await desk.applied() == ["", "b1", "b2"]
    assert await desk.parked() == []


async def test_what_is_not_numbered_yet_never_reaches_the_stream(
    app: Database, worker: Database, bus: Bus
) -> None:
    workspace = a_workspace()
    relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
    await emit(app, workspace, "a1", key=ANA)
    async with worker.begin(workspace) as transaction:
        await erase_events(transaction, [ANA])
        assert await position_after(transaction, [ANA]) is None

    async with running(relay.run):
        await emit(app, workspace, "b1", key=BEN)
        await until(lambda: _has(stream, 2))

    assert await stream_payloads(stream) == ["", "b1"]
    async with worker.begin(workspace) as transaction:
        log = await position_after(transaction, [ANA])
    assert log is not None
    assert log.last_gpos == 2


async def _has(stream: EventStream, gpos: int) -> bool:
    state = await stream.state()
    return state is not None and state.last_seq >= gpos


async def test_what_the_relay_still_holds_is_deleted_once_it_is_published(
    app: Database, worker: Database, bus: Bus
) -> None:
    """Numbered and in the relay's memory, but not in the stream: it comes there after the erase."""
    workspace, eraser = a_workspace(), StreamEraser(worker, bus, STREAM)
    stream = EventStream(bus, STREAM)
    async with running(Relay(worker, bus, STREAM).run):
        await emit(app, workspace, "b1", key=BEN)
        await until(lambda: _has(stream, 1))
    await emit(app, workspace, "a1", key=ANA)
    connection = await worker.connect()
    await prepare(connection)
    held = await sequence(connection)
    await connection.close()
    async with worker.begin(workspace) as transaction:
        await erase_events(transaction, [ANA])

    assert await eraser.step() == 0, "it is not there yet, so it cannot be gone"
    await FencedWriter(bus).write(held)
    assert (await stream.read(2))[0].payload == b"a1"
    assert await eraser.step() == 1

    assert await stream.read(2) == []
    async with worker.begin(workspace) as transaction:
        assert await position_after(transaction, [ANA]) is not None


async def test_a_stream_made_again_after_a_wipe_has_the_erased_events_without_their_words(
    desk: Desk,
) -> None:
    workspace = a_workspace()
    await published(desk, workspace, (ANA, "a1"), (BEN, "b1"))
    await erase(desk, workspace, ANA)
    await StreamEraser(desk.worker, desk.bus, STREAM).step()

    await desk.stream.delete()
    await until(lambda: is_published(desk, 2))

    assert await in_stream(desk) == [(1, b""), (2, b"b1")]


async def test_another_workspace_with_the_same_key_keeps_its_events(desk: Desk) -> None:
    ours, theirs = a_workspace(), a_workspace()
    await published(desk, ours, (ANA, "a1"))
    await published(desk, theirs, (ANA, "of another"))

    await erase(desk, ours, ANA)
    await StreamEraser(desk.worker, desk.bus, STREAM).step()

    assert await in_stream(desk) == [(2, b"of another")]


@pytest.mark.parametrize("is_erased", [True, False])
async def test_the_words_are_nowhere_in_the_files_of_nats(
    app: Database, worker: Database, tmp_path: Path, is_erased: bool
) -> None:
    """Overwritten on the disk, not only hidden; without the erase they are found there."""
    canary = a_canary()
    with breakable_nats(tmp_path) as nats:
        await _tell_and_erase(app, worker, nats.server.url, canary, is_erased=is_erased)

        files = everything_in(tmp_path)
    assert any(b"stays" in content for content in files)
    assert any(canary.encode() in content for content in files) is not is_erased


def everything_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def _tell_and_erase(
    app: Database, worker: Database, url: str, canary: str, *, is_erased: bool
) -> None:
    workspace = a_workspace()
    async with connected_bus(url) as bus:
        relay, stream = Relay(worker, bus, STREAM), EventStream(bus, STREAM)
        owner = LocalLog(EventLog(worker, NoEntities()))
        desk = Desk(app, worker, bus, relay, stream, owner)
        async with running(relay.run):
            await published(desk, workspace, (BEN, "stays"), (ANA, canary), (BEN, "stays"))
            if is_erased:
                await erase(desk, workspace, ANA)
                eraser = StreamEraser(worker, bus, STREAM)
                assert await eraser.step() == 1
