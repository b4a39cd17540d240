"""The one stream of all hubs: what breaks one workspace is nothing to the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest

from gateway import trunk as trunk_module
from gateway.hub import Hub
from gateway.trunk import Trunk
from inbox.realtime import v1 as realtime_v1
from tests.service.chassis.eventing import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.upstream import Upstream


class Stream:
    """One call, as the test plays realtime's side of it."""

    def __init__(self) -> None:
        self.asked: dict[int, realtime_v1.WorkspaceToWatch] = {}
        self.ended: list[int] = []
        self.requests = 0
        self._answers: asyncio.Queue[realtime_v1.WatchWorkspacesResponse | None] = asyncio.Queue()

    def tell(self, workspace_id: str, position: str, previous: str = "") -> None:
        """One frame of a workspace's chain, on its newest ref."""
        ref = max(ref for ref, one in self.asked.items() if one.workspace_id == workspace_id)
        self.tell_ref(ref, position, previous)

    def tell_ref(self, ref: int, position: str, previous: str = "") -> None:
        """The same on a given ref."""
        frame = realtime_v1.ServerFrame(
            position=position, previous=previous, idle=realtime_v1.Idle()
        )
        brought = realtime_v1.WorkspaceFrames(ref=ref, frames=[frame.SerializeToString()])
        self._answers.put_nowait(realtime_v1.WatchWorkspacesResponse(workspaces=[brought]))

    def close(self) -> None:
        """End it from realtime's side."""
        self._answers.put_nowait(None)

    async def write(self, request: realtime_v1.WatchWorkspacesRequest) -> None:
        self.requests += 1
        self.asked.update({wanted.ref: wanted for wanted in request.begin})
        self.ended += request.end

    def cancel(self) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[realtime_v1.WatchWorkspacesResponse]:
        while (answer := await self._answers.get()) is not None:
            yield answer


class Streams:
    """What the trunk opens, one after the other."""

    def __init__(self) -> None:
        self.opened: list[Stream] = []

    def watch_workspaces(self) -> Stream:
        self.opened.append(Stream())
        return self.opened[-1]


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
async def trunk(streams: Streams) -> AsyncIterator[Trunk]:
    trunk = Trunk(cast("Upstream", streams))
    running = asyncio.create_task(trunk.run())
    yield trunk
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def begun(trunk: Trunk, streams: Streams, *hubs: Hub) -> Stream:
    """Hubs that stand at "1", and the stream they are on."""
    for hub in hubs:
        trunk.begin(hub)
    await until(lambda: bool(streams.opened) and len(streams.opened[-1].asked) >= len(hubs))
    stream = streams.opened[-1]
    for hub in hubs:
        stream.tell(hub.workspace_id, "1")
    await until(lambda: all(hub.is_live for hub in hubs))
    return stream


async def test_hubs_that_come_together_are_begun_by_one_request(
    trunk: Trunk, streams: Streams
) -> None:
    hubs = [Hub(f"w{number}") for number in range(100)]

    stream = await begun(trunk, streams, *hubs)

    assert stream.requests == 1
    assert len(streams.opened) == 1


async def test_without_hubs_there_is_no_stream(trunk: Trunk, streams: Streams) -> None:
    await asyncio.sleep(0)

    assert streams.opened == []


async def test_a_broken_chain_is_watched_again_from_its_position_and_its_neighbour_goes_on(
    trunk: Trunk, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunk_module, "LOOK_EVERY_SECONDS", 0.05)
    broken, neighbour = Hub("broken"), Hub("neighbour")
    stream = await begun(trunk, streams, broken, neighbour)

    stream.tell("broken", "9", previous="8")
    stream.tell("neighbour", "2", previous="1")
    await until(lambda: neighbour.position == "2")
    assert not broken.is_live
    await until(lambda: len(stream.asked) == 3)
    again = stream.asked[max(stream.asked)]
    stream.tell("broken", "2", previous="1")
    await until(lambda: broken.position == "2")

    assert (again.workspace_id, again.position) == ("broken", "1")
    assert len(stream.ended) == 1
    assert broken.is_live
    assert len(streams.opened) == 1


async def test_a_stream_that_ends_is_followed_by_one_from_where_each_hub_stands(
    trunk: Trunk, streams: Streams
) -> None:
    one, other = Hub("one"), Hub("other")
    stream = await begun(trunk, streams, one, other)
    stream.tell("one", "2", previous="1")
    await until(lambda: one.position == "2")

    stream.close()
    await until(lambda: len(streams.opened) == 2 and len(streams.opened[1].asked) == 2)

    asked = {wanted.workspace_id: wanted.position for wanted in streams.opened[1].asked.values()}
    assert asked == {"one": "2", "other": "1"}
    assert not one.is_live


async def test_what_was_on_its_way_to_a_hub_that_is_gone_reaches_nobody(
    trunk: Trunk, streams: Streams
) -> None:
    gone, neighbour = Hub("w"), Hub("neighbour")
    stream = await begun(trunk, streams, gone, neighbour)
    ref = next(ref for ref, wanted in stream.asked.items() if wanted.workspace_id == "w")
    trunk.end(gone)
    successor = Hub("w")
    trunk.begin(successor)
    await until(lambda: len(stream.asked) == 3)

    stream.tell_ref(ref, "2", previous="1")
    stream.tell("neighbour", "2", previous="1")
    await until(lambda: neighbour.position == "2")

    assert stream.ended == [ref]
    assert (gone.position, successor.position) == ("1", "")


async def test_a_silent_stream_is_given_up(
    trunk: Trunk, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunk_module, "LOOK_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(trunk_module, "SILENT_AFTER_SECONDS", 0.3)
    hub = Hub("w")

    await begun(trunk, streams, hub)
    await until(lambda: len(streams.opened) > 1 and bool(streams.opened[1].asked))

    assert [wanted.position for wanted in streams.opened[1].asked.values()] == ["1"]
