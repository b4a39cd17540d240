"""A writer judges by what it left of a thread, and by the thread itself when that has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.errors import Fault
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.actions.append import Run, append_remembered, append_run
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.faults import ChannelNotConnected, ConversationInAiMode
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId
from services.messaging.store.append import AppendSession
from tests.service.messaging.desk import Desk

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


def draft(conversation_id: str, text: str = "hello", client_message_id: str = "") -> Draft:
    return Draft(
        ConversationId(conversation_id),
        client_message_id or new_id(),
        Author(AuthorKind.MEMBER, "maria", "María"),
        text,
    )


async def write(desk: Desk, session: AppendSession, *drafts: Draft) -> list[Stored | Fault]:
    run = Run(desk.workspace_id, drafts, [""] * len(drafts))
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
