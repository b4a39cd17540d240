"""A watch over streams that die: every event once, in order, and a gap is never silent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest

from inbox.messaging.v1 import MessageCreated
from inbox.realtime.v1 import WatchRequest
from inbox_client import (
    AsyncInbox,
    AsyncWatch,
    Event,
    Frame,
    Inbox,
    InboxError,
    Resync,
    ResyncIgnored,
    Watch,
)
from tests.cuttable_line import Line
from tests.service.chassis.eventing import until
from tests.service.client.conftest import QUICK
from tests.service.gateway.log_double import STREAMS
from tests.service.gateway.suite_double import Services

KEY = "ik_1.x"
EVENTS = 200


def text_of(event: Event) -> str | None:
    match event:
        case Frame(body=MessageCreated(message=message)):
            return message.text
    return None


async def happen(services: Services, line: Line, count: int, seed: int) -> None:
    """Events, while the stream dies in every way there is."""
    dice = random.Random(seed)
    for number in range(count):
        services.realtime.log.message(str(number))
        services.realtime.log.conversation_read(number)
        match dice.randrange(12):
            case 0:
                line.cut()
            case 1:
                services.realtime.cut()
            case 2:
                await services.stop()
                await services.start()
        await asyncio.sleep(dice.random() * 0.01)


@pytest.fixture
async def inbox(live_line: Line) -> AsyncIterator[AsyncInbox]:
    async with AsyncInbox(live_line.address, KEY, retries=QUICK) as inbox:
        yield inbox


async def begun(watch: AsyncWatch) -> Resync:
    """The resync that a watch from nowhere begins with."""
    async for event in watch:
        if isinstance(event, Resync):
            event.done()
            return event
    raise AssertionError("it ended")


async def read(watch: AsyncWatch, count: int) -> list[str]:
    texts: list[str] = []
    async with asyncio.timeout(60):
        async for event in watch:
            assert isinstance(event, Frame), "nothing here is forgotten"
            text = text_of(event)
            if text is not None:
                texts.append(text)
            if len(texts) == count:
                break
    return texts


async def test_killed_streams_lose_nothing_and_repeat_nothing(
    services: Services, live_line: Line, inbox: AsyncInbox
) -> None:
    async with inbox.watch() as watch, asyncio.TaskGroup() as group:
        await begun(watch)
        group.create_task(happen(services, live_line, EVENTS, seed=1))
        texts = await read(watch, EVENTS)

    assert texts == [str(number) for number in range(EVENTS)]
    assert len(services.realtime.watches) > 10, "it was cut often"


async def test_a_synchronous_watch_loses_nothing_and_repeats_nothing(
    services: Services, live_line: Line
) -> None:
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()

    def follow(watch: Watch) -> list[str]:
        texts: list[str] = []
        for event in watch:
            if isinstance(event, Resync):
                event.done()
                loop.call_soon_threadsafe(ready.set)
            text = text_of(event)
            if text is not None:
                texts.append(text)
            if len(texts) == EVENTS:
                break
        return texts

    with Inbox(live_line.address, KEY, retries=QUICK) as blocking, blocking.watch() as watch:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            following = group.create_task(asyncio.to_thread(follow, watch))
            await ready.wait()
            await happen(services, live_line, EVENTS, seed=2)

    assert following.result() == [str(number) for number in range(EVENTS)]
    assert len(services.realtime.watches) > 10


async def test_whoever_begins_anew_after_a_cut_misses_what_happened_meanwhile(
    services: Services, live_line: Line, inbox: AsyncInbox
) -> None:
    """The negative control: the same stream without its position."""
    texts: list[str] = []

    async def follow() -> None:
        while True:
            try:
                async for batch in inbox.realtime.Watch(WatchRequest()):
                    texts.extend(
                        frame.message_created.message.text
                        for frame in batch.frames
                        if frame.HasField("message_created")
                    )
            except InboxError:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follow())
        await until(lambda: bool(services.realtime.watches))
        await happen(services, live_line, EVENTS, seed=1)
        following.cancel()

    assert len(texts) < EVENTS


async def test_a_watch_goes_on_from_a_position_that_was_kept(
    services: Services, inbox: AsyncInbox
) -> None:
    async with inbox.watch() as watch:
        await begun(watch)
        services.realtime.log.message("one")
        assert await read(watch, 1) == ["one"]
        services.realtime.log.message("two")
        kept = watch.position

    async with inbox.watch(kept) as again:
        assert await read(again, 2) == ["one", "two"], "what was not handled comes again"


async def test_a_position_that_is_gone_stops_the_watch_until_it_is_handled(
    services: Services, inbox: AsyncInbox
) -> None:
    log = services.realtime.log
    async with inbox.watch() as watch:
        await begun(watch)
        log.message("one")
        await read(watch, 1)
        for number in range(5):
            log.message(f"lost-{number}")
        log.kept_from = log.heads()
        kept = log.write(dict.fromkeys(STREAMS, 0))

    async with inbox.watch(kept) as again:
        event = await anext(again)
        while not isinstance(event, Resync):
            event = await anext(again)
        with pytest.raises(ResyncIgnored):
            await anext(again)
        assert again.position == kept
        event.done()
        log.message("two")

        assert await read(again, 1) == ["two"]


async def test_a_stream_that_falls_silent_is_opened_again(
    services: Services, live_line: Line, inbox: AsyncInbox
) -> None:
    async with inbox.watch(silent_after=timedelta(seconds=0.3)) as watch:
        await begun(watch)
        watches = len(services.realtime.watches)
        live_line.hold_answers()
        services.realtime.log.message("one")

        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read(watch, 1))
            await until(lambda: len(services.realtime.watches) > watches)
            live_line.release_answers()

    assert reading.result() == ["one"]


async def test_a_server_that_begins_elsewhere_is_not_believed(
    services: Services, inbox: AsyncInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inbox.watch(resume_within=timedelta(seconds=0.3)) as watch:
        await begun(watch)
        services.realtime.log.message("one")
        await read(watch, 1)
        frames = services.realtime._frames
        monkeypatch.setattr(
            services.realtime, "_frames", lambda _, until, number: frames("", until, number)
        )
        services.realtime.cut()
        services.realtime.log.message("two")

        with pytest.raises(InboxError, match="watch again"):
            await read(watch, 1)


async def test_a_watch_that_cannot_resume_says_so_in_time(
    services: Services, inbox: AsyncInbox
) -> None:
    async with inbox.watch(resume_within=timedelta(seconds=0.3)) as watch:
        await begun(watch)
        await services.stop()

        with pytest.raises(InboxError) as away:
            await read(watch, 1)

    assert away.value.code is grpc.StatusCode.UNAVAILABLE


async def test_closing_ends_a_synchronous_watch_that_waits(
    services: Services, live_line: Line
) -> None:
    blocking = Inbox(live_line.address, KEY, retries=QUICK)
    watch = blocking.watch()

    def follow() -> str:
        for event in watch:
            if isinstance(event, Resync):
                event.done()
        return "ended"

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        following = group.create_task(asyncio.to_thread(follow))
        await until(lambda: bool(services.realtime.watches))
        blocking.close()

    assert following.result() == "ended"
