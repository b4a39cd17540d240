"""A writer judges by what it left of a thread, and by the thread itself when that has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from chassis.errors import Fault
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1
from services.messaging.actions.append import Run, append_remembered, append_run
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.faults import ChannelNotConnected, ConversationInAiMode
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId
from services.messaging.store.append import AppendSession
from tests.service.messaging.desk import Desk, assert_events_tell_everything

READS: list[str] = []


@pytest.fixture(autouse=True)
def _count_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    READS.clear()
    lock_threads = AppendSession.lock_threads

    async def counted(self: AppendSession, *args: object) -> object:
        READS.append("locked and read")
        return await lock_threads(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(AppendSession, "lock_threads", counted)


@asynccontextmanager
async def a_session(desk: Desk) -> AsyncIterator[AppendSession]:
    session = await AppendSession.open(desk.means.worker)
    try:
        yield session
    finally:
        session.close()


def draft(
    conversation_id: str, text: str = "hello", client_message_id: str = "", author: str = "maria"
) -> Draft:
    return Draft(
        ConversationId(conversation_id),
        client_message_id or new_id(),
        Author(AuthorKind.MEMBER, author, author.title()),
        text,
    )


def neighbour_of(desk: Desk) -> Desk:
    return Desk(WorkspaceId(new_id()), desk.means, desk.server)


def run_of(desk: Desk, *drafts: Draft) -> Run:
    return Run(desk.workspace_id, drafts, [""] * len(drafts))


async def write(desk: Desk, session: AppendSession, *drafts: Draft) -> list[Stored | Fault]:
    run = run_of(desk, *drafts)
    (outcomes,), _ = await append_remembered(session, [run], at=desk.means.clock.now())
    if outcomes is None:
        outcomes = await append_run(session, run, at=desk.means.clock.now())
    return outcomes


async def test_only_the_first_batch_of_a_thread_reads_it(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    READS.clear()

    async with a_session(desk) as session:
        for number in range(5):
            await write(desk, session, draft(conversation_id, f"{number}"))

    assert len(READS) == 1
    assert [message.seq for message in await desk.history(conversation_id)] == [1, 2, 3, 4, 5, 6]


async def test_a_thread_that_another_replica_wrote_is_read_again(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with a_session(desk) as one, a_session(desk) as other:
        for number in range(6):
            await write(desk, one if number % 2 else other, draft(conversation_id, f"{number}"))

    history = await desk.history(conversation_id)
    assert [(message.seq, message.text) for message in history[1:]] == [
        (number + 2, f"{number}") for number in range(6)
    ]


async def test_a_thread_that_the_ai_got_meanwhile_refuses_a_person(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with a_session(desk) as session:
        await write(desk, session, draft(conversation_id))
        await desk.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)
        (refused,) = await write(desk, session, draft(conversation_id))

    assert isinstance(refused, ConversationInAiMode)
    # What was written, and the row of the switch.
    assert len(await desk.history(conversation_id)) == 3


async def test_a_channel_that_was_disconnected_meanwhile_refuses(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()

    async with a_session(desk) as session:
        await write(desk, session, draft(conversation_id))
        async with desk.means.app.begin(desk.workspace_id) as transaction:
            await transaction.raw.execute("UPDATE channels SET state = 'not_connected'")
        (refused,) = await write(desk, session, draft(conversation_id))

    assert isinstance(refused, ChannelNotConnected)


async def test_a_repeat_finds_its_original_though_its_thread_is_remembered(desk: Desk) -> None:
    conversation_id, other = await desk.open_conversation(), await desk.open_conversation()
    one = draft(conversation_id, "once")

    async with a_session(desk) as session:
        await write(desk, session, one, draft(other))
        first, again = await write(desk, session, draft(other, "more"), one)

    assert isinstance(first, Stored)
    assert isinstance(again, Stored)
    assert (first.replayed, again.replayed) == (False, True)
    assert [m.text for m in await desk.history(conversation_id)][1:] == ["once"]
    assert [m.seq for m in await desk.history(other)] == [1, 2, 3]


async def test_a_failed_commit_leaves_nothing_remembered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await desk.open_conversation()

    async with a_session(desk) as session:
        await write(desk, session, draft(conversation_id))
        with pytest.raises(asyncpg.PostgresError):
            await write(desk, session, draft(conversation_id, client_message_id="not-a-uuid"))
        (after,) = await write(desk, session, draft(conversation_id, "after"))

    assert isinstance(after, Stored)
    assert [m.seq for m in await desk.history(conversation_id)] == [1, 2, 3]


async def test_one_commit_serves_workspaces_side_by_side(desk: Desk) -> None:
    other = neighbour_of(desk)
    here, beside = await desk.open_conversation(), await desk.open_conversation()
    there = await other.open_conversation()

    async with a_session(desk) as session:
        await write(desk, session, draft(here), draft(beside))
        await write(other, session, draft(there))
        READS.clear()
        runs = [
            run_of(desk, draft(here, "a"), draft(beside, "b"), draft(here, "c", author="jonas")),
            run_of(other, draft(there, "d"), draft(there, "e")),
        ]
        results, _ = await append_remembered(session, runs, at=desk.means.clock.now())

    assert READS == []
    assert [len(outcomes or []) for outcomes in results] == [3, 2]
    assert [m.text for m in await desk.history(here)][2:] == ["a", "c"]
    assert [m.text for m in await desk.history(beside)][2:] == ["b"]
    assert [m.text for m in await other.history(there)][2:] == ["d", "e"]
    # Also who has each conversation, and since when: PostgreSQL keeps it as the events told it.
    await assert_events_tell_everything(desk)
    await assert_events_tell_everything(other)


@pytest.mark.parametrize("changed", [0, 1])
async def test_a_workspace_that_changed_meanwhile_is_left_out_and_its_neighbour_is_not(
    desk: Desk, changed: int
) -> None:
    desks = [desk, neighbour_of(desk)]
    where = [await each.open_conversation() for each in desks]

    async with a_session(desk) as session, a_session(desk) as another_replica:
        for each, conversation_id in zip(desks, where, strict=True):
            await write(each, session, draft(conversation_id))
        await write(desks[changed], another_replica, draft(where[changed], "meanwhile"))
        runs = [
            run_of(each, draft(conversation_id, "more"))
            for each, conversation_id in zip(desks, where, strict=True)
        ]
        results, _ = await append_remembered(session, runs, at=desk.means.clock.now())

    assert [outcomes is None for outcomes in results] == [changed == 0, changed == 1]
    last = [
        (await each.history(conversation_id))[-1].text
        for each, conversation_id in zip(desks, where, strict=True)
    ]
    assert last == ["meanwhile" if place == changed else "more" for place in (0, 1)]
    for each in desks:
        await assert_events_tell_everything(each)


async def test_a_client_id_that_is_taken_in_one_workspace_leaves_all_of_them_unwritten(
    desk: Desk,
) -> None:
    other = neighbour_of(desk)
    here, beside, there = (
        await desk.open_conversation(),
        await desk.open_conversation(),
        await other.open_conversation(),
    )
    taken = draft(beside, "taken")
    await desk.means.writers.submit(desk.workspace_id, taken, within=timedelta(seconds=10))

    async with a_session(desk) as session:
        await write(desk, session, draft(here))
        await write(other, session, draft(there))
        repeat = draft(here, "again", taken.client_message_id)
        runs = [run_of(desk, repeat), run_of(other, draft(there, "more"))]
        results, told = await append_remembered(session, runs, at=desk.means.clock.now())

    assert (results, told) == ([None, None], [])
    assert len(await other.history(there)) == 2
    await assert_events_tell_everything(other)
