"""The AI resumes by itself: once, in time, whatever process does it and whatever the clock does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message as ProtoMessage

from chassis.auth import Role
from chassis.database import Database
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.actions.resume import resume_next
from services.messaging.resumer import LOOK_AGAIN, Resumer
from services.messaging.store import timers
from services.messaging.store.delivery import lock_thread
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk, assert_events_tell_everything

AI, MANUAL = v1.CONVERSATION_MODE_AI, v1.CONVERSATION_MODE_MANUAL
QUARTER = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
async def _no_timers_of_others(worker: Database) -> None:
    """The timers of a module's tests share its database."""
    async with worker.begin() as transaction:
        await transaction.raw.execute("DELETE FROM resume_timers")


@pytest.fixture
def resumer(worker: Database, clock: FakeClock) -> Resumer:
    return Resumer(worker, clock, wake_relay=lambda: None)


def resumptions(events: Sequence[ProtoMessage]) -> list[v1.Message]:
    """The rows that tell so."""
    return [
        event.message
        for event in events
        if isinstance(event, v1.MessageCreated) and event.message.system_note.HasField("ai_resumed")
    ]


async def test_the_ai_resumes_after_a_quarter_of_an_hour_without_people(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())

    clock.advance(QUARTER - SECOND)
    assert await resumer.run_once() == 0
    clock.advance(SECOND)
    assert await resumer.run_once() == 1
    assert await resumer.run_once() == 0

    thread = await desk.thread(taken_over.conversation_id)
    assert (thread.mode, thread.mode_epoch) == (AI, taken_over.mode_epoch + 1)
    assert not thread.HasField("manual_until")
    *_, changed, noted = await desk.published()
    assert isinstance(changed, v1.ModeChanged)
    assert changed.author == v1.Author(kind=v1.AUTHOR_KIND_SYSTEM)
    assert isinstance(noted, v1.MessageCreated)
    assert noted.thread == thread
    assert resumptions([noted])
    await assert_events_tell_everything(desk)


async def test_each_message_of_a_person_begins_the_time_anew(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())

    for _ in range(3):
        clock.advance(QUARTER - SECOND)
        await desk.sends(taken_over.conversation_id)
        # A timer that comes due moves to where the last message put the thread.
        await resumer.run_once()
    clock.advance(QUARTER - SECOND)
    await resumer.run_once()

    thread = await desk.thread(taken_over.conversation_id)
    assert thread.mode == MANUAL
    assert thread.manual_until.ToDatetime(clock.now().tzinfo) == clock.now() + SECOND
    clock.advance(SECOND)
    await resumer.run_once()
    assert (await desk.thread(taken_over.conversation_id)).mode == AI
    await assert_events_tell_everything(desk)


async def test_what_the_customer_writes_does_not_hold_the_ai_back(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())

    clock.advance(QUARTER - SECOND)
    await desk.customer_writes(taken_over.channel_id)  # type: ignore[arg-type]
    clock.advance(SECOND)
    await resumer.run_once()

    assert (await desk.thread(taken_over.conversation_id)).mode == AI


async def test_a_conversation_that_began_with_people_stays_with_them(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    conversation_id = await desk.open_conversation()
    await desk.sends(conversation_id)

    clock.advance(timedelta(days=30))

    assert await resumer.run_once() == 0
    assert (await desk.thread(conversation_id)).mode == MANUAL


async def test_the_pin_keeps_the_ai_away_until_it_is_taken_off(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())

    async def keep(is_kept: bool) -> v1.Thread:
        request = v1.KeepManualRequest(
            conversation_id=taken_over.conversation_id, is_kept=is_kept, request_id=new_id()
        )
        return (await desk.maria.KeepManual(request)).thread

    pinned = await keep(True)
    clock.advance(timedelta(days=1))
    assert await resumer.run_once() == 0
    unpinned = await keep(False)
    assert await resumer.run_once() == 0
    clock.advance(QUARTER)
    assert await resumer.run_once() == 1

    assert (pinned.is_manual_kept, pinned.HasField("manual_until")) == (True, False)
    assert (unpinned.is_manual_kept, unpinned.HasField("manual_until")) == (False, True)
    assert await keep_events(desk) == [True, False]
    await assert_events_tell_everything(desk)


async def keep_events(desk: Desk) -> list[bool]:
    """The pin as each event that is no switch tells it."""
    epochs: set[int] = set()
    told: list[bool] = []
    for event in await desk.published():
        if isinstance(event, v1.ModeChanged):
            if event.thread.mode_epoch in epochs:
                told.append(event.thread.is_manual_kept)
            epochs.add(event.thread.mode_epoch)
    return told


async def test_a_takeover_may_pin_at_once(desk: Desk, resumer: Resumer, clock: FakeClock) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation(), keep_manual=True)

    clock.advance(timedelta(days=1))

    assert taken_over.is_manual_kept
    assert await resumer.run_once() == 0


async def test_each_workspace_has_a_time_of_its_own(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    owner = desk.as_role(Role.OWNER)
    settings = await owner.UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(resume_ai_after=Duration(seconds=90))
    )
    soon = await desk.takes_over(await desk.open_conversation())
    await owner.UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(resume_ai_after=Duration())
    )
    never = await desk.takes_over(await desk.open_conversation())

    clock.advance(timedelta(seconds=90))
    await resumer.run_once()
    clock.advance(timedelta(days=30))
    await resumer.run_once()

    assert settings.settings.resume_ai_after.seconds == 90
    assert (await desk.thread(soon.conversation_id)).mode == AI
    assert not never.HasField("manual_until")
    assert (await desk.thread(never.conversation_id)).mode == MANUAL


async def test_the_ai_resumes_after_a_handover_nobody_answered(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    thread = await desk.hand_over(await desk.open_conversation(), AI)
    await desk.ai_hands_over(thread)

    clock.advance(QUARTER)
    await resumer.run_once()

    back = await desk.thread(thread.conversation_id)
    assert (back.mode, back.HasField("handover")) == (AI, False)


async def test_many_resumers_at_once_resume_each_conversation_once(
    desk: Desk, worker: Database, clock: FakeClock
) -> None:
    conversations = [await desk.open_conversation() for _ in range(12)]
    for conversation_id in conversations:
        await desk.takes_over(conversation_id)
    clock.advance(QUARTER)
    resumers = [Resumer(worker, clock, wake_relay=lambda: None) for _ in range(4)]

    async with asyncio.TaskGroup() as group:
        for resumer in resumers:
            group.create_task(resumer.run_once())
    # Who met a timer in another's hands has left it alone; nobody is left over.
    clock.advance(SECOND)
    assert await resumers[0].run_once() == 0

    rows = resumptions(await desk.published())
    assert sorted(row.conversation_id for row in rows) == sorted(conversations)
    await assert_events_tell_everything(desk)


async def test_a_resumer_that_dies_on_the_way_leaves_everything_to_the_next(
    desk: Desk, worker: Database, resumer: Resumer, clock: FakeClock
) -> None:
    """As a killed process does: the transaction ends without its commit."""
    taken_over = await desk.takes_over(await desk.open_conversation())
    clock.advance(QUARTER)

    with pytest.raises(Died):
        async with dying(worker) as database:
            await resume_next(database, now=clock.now())
    assert (await desk.thread(taken_over.conversation_id)).mode == MANUAL
    await resumer.run_once()

    assert len(resumptions(await desk.published())) == 1
    assert (await desk.thread(taken_over.conversation_id)).mode == AI


class Died(Exception):
    """The process is gone."""


@asynccontextmanager
async def dying(worker: Database) -> AsyncIterator[Database]:
    """A database whose transactions do all their work and never commit."""

    class Dying(Database):
        def __init__(self) -> None:
            pass

        @asynccontextmanager
        async def begin(self, workspace_id: object = None) -> AsyncIterator[object]:  # type: ignore[override]
            async with worker.begin() as transaction:
                yield transaction
                raise Died

    yield Dying()


async def test_a_timer_waits_for_whoever_writes_to_its_conversation(
    desk: Desk, worker: Database, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())
    clock.advance(QUARTER)

    async with worker.begin(desk.workspace_id) as transaction:
        await lock_thread(transaction, taken_over.conversation_id)
        assert await resumer.run_once() == 1
        assert (await desk.thread(taken_over.conversation_id)).mode == MANUAL
    clock.advance(SECOND)
    await resumer.run_once()

    assert (await desk.thread(taken_over.conversation_id)).mode == AI


async def test_a_wall_clock_that_is_put_back_and_forward_resumes_nothing_twice(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())
    began = clock.now()

    clock.set_wall(began - timedelta(hours=2))
    assert await resumer.run_once() == 0
    clock.set_wall(began + QUARTER)
    assert await resumer.run_once() == 1
    clock.set_wall(began)
    assert await resumer.run_once() == 0
    clock.set_wall(began + 2 * QUARTER)
    assert await resumer.run_once() == 0

    assert (await desk.thread(taken_over.conversation_id)).mode_epoch == taken_over.mode_epoch + 1


async def test_a_running_resumer_is_never_later_than_its_next_look(
    desk: Desk, resumer: Resumer, clock: FakeClock
) -> None:
    """A wake-up after the switch, and looking again after a clock step: both within two seconds."""
    conversation_id = await desk.open_conversation()
    running = asyncio.create_task(resumer.run())
    try:
        await desk.takes_over(conversation_id)
        resumer.wake()
        clock.advance(QUARTER)
        async with asyncio.timeout(2 * LOOK_AGAIN.total_seconds()):
            while (await desk.thread(conversation_id)).mode == MANUAL:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert len(resumptions(await desk.published())) == 1


async def test_a_timer_stands_exactly_while_a_thread_is_armed(desk: Desk, worker: Database) -> None:
    taken_over = await desk.takes_over(await desk.open_conversation())
    async with worker.begin() as transaction:
        assert await timers.next_due(transaction) is not None

    await desk.hand_over(taken_over.conversation_id, AI)

    async with worker.begin() as transaction:
        assert await timers.next_due(transaction) is None
