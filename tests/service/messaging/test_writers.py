"""Group commits: they gather what comes, and survive what befalls a database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from chassis import sequencer
from chassis.database import Database
from chassis.errors import AlreadyExists, Fault, Unavailable
from chassis.events import Event
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions.writers import MAX_RUN, Writers
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId
from services.messaging.store.append import AppendSession
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers
from tests.fakes import FakeClock
from tests.service.messaging.desk import WITHIN, Desk, assert_events_tell_everything

END_WRITERS_BACKENDS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'inbox_messaging_worker' AND datname = $1
"""


def draft(conversation_id: str, text: str = "hello", client_message_id: str = "") -> Draft:
    return Draft(
        ConversationId(conversation_id),
        client_message_id or new_id(),
        Author(AuthorKind.MEMBER, "maria", "María"),
        text,
    )


@asynccontextmanager
async def another_replica(worker: Database) -> AsyncIterator[Writers]:
    writers = Writers(worker, FakeClock(), on_commit=lambda: None)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(writers.run())
        yield writers
        running.cancel()


async def sequence_all(worker: Database) -> None:
    connection = await worker.connect()
    await sequencer.prepare(connection)
    while await sequencer.sequence(connection):
        pass
    connection.terminate()


async def write(writers: Writers, workspace_id: WorkspaceId, one: Draft) -> Stored:
    return await writers.submit(workspace_id, one, within=WITHIN)


async def test_what_comes_while_a_commit_is_under_way_goes_into_the_next(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    commits = Counter[str]()
    writers = Writers(
        desk.means.worker, desk.means.clock, on_commit=lambda: commits.update(["one"])
    )

    async with asyncio.TaskGroup() as group:
        running = group.create_task(writers.run())
        async with asyncio.TaskGroup() as sending:
            for _ in range(10 * MAX_RUN):
                sending.create_task(write(writers, desk.workspace_id, draft(conversation_id)))
        running.cancel()

    assert commits["one"] <= 20
    thread = [message.seq for message in await desk.history(conversation_id)]
    assert thread == list(range(442, 642))


async def test_a_process_alone_numbers_at_once_all_that_it_writes(desk: Desk) -> None:
    conversations = [await desk.open_conversation() for _ in range(8)]
    numbered: list[Event] = []
    writers = Writers(
        desk.means.worker, FakeClock(), on_commit=lambda: None, on_numbered=numbered.extend
    )

    async with asyncio.TaskGroup() as group:
        running = group.create_task(writers.run())
        for conversation_id in conversations:
            await write(writers, desk.workspace_id, draft(conversation_id))
        await sequence_all(desk.means.worker)
        async with asyncio.TaskGroup() as sending:
            for number in range(200):
                one = draft(conversations[number % 8], f"{number}")
                sending.create_task(write(writers, desk.workspace_id, one))
        running.cancel()

    assert len(numbered) == 200
    gpos = [event.gpos for event in numbered]
    assert gpos == list(range(gpos[0], gpos[0] + 200))
    await assert_events_tell_everything(desk)


async def test_one_draft_the_database_refuses_does_not_fail_its_neighbours(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    drafts = [draft(conversation_id, f"{number}") for number in range(20)]
    drafts[7] = draft(conversation_id, "poison", client_message_id="not-a-uuid")

    waiting = [desk.means.writers.submit(desk.workspace_id, one, within=WITHIN) for one in drafts]
    outcomes = await asyncio.wait_for(_outcomes(waiting), 10)

    assert isinstance(outcomes.pop(7), asyncpg.PostgresError)
    assert all(isinstance(outcome, Stored) for outcome in outcomes)
    assert [m.text for m in (await desk.history(conversation_id))[1:]] == [
        f"{number}" for number in range(20) if number != 7
    ]


async def test_a_batch_that_met_a_deadlock_is_split_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await desk.open_conversation()
    append = AppendSession.append
    collisions = iter([True, True, False])

    async def collide(self: AppendSession, *args: object, **kwargs: object) -> int:
        if next(collisions, False):
            raise asyncpg.DeadlockDetectedError("a test made it")
        return await append(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(AppendSession, "append", collide)
    waiting = [
        desk.means.writers.submit(desk.workspace_id, draft(conversation_id), within=WITHIN)
        for _ in range(8)
    ]

    outcomes = await _outcomes(waiting)

    assert all(isinstance(outcome, Stored) for outcome in outcomes)
    assert len(await desk.history(conversation_id)) == 9


async def test_a_send_that_waits_too_long_is_told_so_and_its_repeat_finds_it(
    desk: Desk,
) -> None:
    conversation_id = await desk.open_conversation()
    one = draft(conversation_id)

    async with desk.means.app.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "SELECT FROM threads WHERE conversation_id = $1 FOR UPDATE", conversation_id
        )
        waiting = desk.means.writers.submit(
            desk.workspace_id, one, within=timedelta(milliseconds=200)
        )
        await asyncio.sleep(0.05)
        behind = desk.means.writers.submit(
            desk.workspace_id, draft(conversation_id), within=timedelta(milliseconds=200)
        )
        for future in (waiting, behind):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(future, 5)

    again = await write(desk.means.writers, desk.workspace_id, one)
    assert again.replayed
    assert len(await desk.history(conversation_id)) == 2


async def test_a_send_survives_the_loss_of_its_connection(
    desk: Desk, servers: TestServers, urls: DatabaseUrls
) -> None:
    conversation_id = await desk.open_conversation()

    await _end_backends(servers, urls)
    stored = await write(desk.means.writers, desk.workspace_id, draft(conversation_id))

    assert not stored.replayed


async def test_under_load_nothing_is_lost_or_doubled_when_connections_break(
    desk: Desk, servers: TestServers, urls: DatabaseUrls
) -> None:
    conversations = [await desk.open_conversation() for _ in range(4)]
    acknowledged: set[str] = set()

    async def send(number: int) -> None:
        one = draft(conversations[number % 4])
        while one.client_message_id not in acknowledged:
            try:
                stored = await write(desk.means.writers, desk.workspace_id, one)
            except Unavailable:
                continue
            acknowledged.add(stored.message.client_message_id)

    async def sender(first: int) -> None:
        for number in range(first, first + 20):
            await send(number)

    async def breaker() -> None:
        for _ in range(12):
            await asyncio.sleep(0.05)
            await _end_backends(servers, urls)

    async with asyncio.TaskGroup() as group:
        for first in range(40):
            group.create_task(sender(first))
        group.create_task(breaker())

    stored: Counter[str] = Counter()
    for conversation_id in conversations:
        async with desk.means.worker.begin(desk.workspace_id) as transaction:
            rows = await transaction.raw.fetch(
                "SELECT seq, client_message_id FROM messages WHERE conversation_id = $1 "
                "AND direction = 'outbound' ORDER BY seq",
                conversation_id,
            )
        assert [row["seq"] for row in rows] == list(range(2, len(rows) + 2))
        stored.update(str(row["client_message_id"]) for row in rows)
    assert set(stored) == acknowledged
    assert set(stored.values()) == {1}
    assert len(stored) == 800


async def test_two_replicas_keep_one_dense_order(desk: Desk) -> None:
    conversations = [await desk.open_conversation() for _ in range(3)]
    async with another_replica(desk.means.worker) as other, asyncio.TaskGroup() as group:
        for number in range(300):
            writers = (desk.means.writers, other)[number % 2]
            one = draft(conversations[number % 3])
            group.create_task(write(writers, desk.workspace_id, one))

    for conversation_id in conversations:
        history = await desk.history(conversation_id)
        assert [message.seq for message in history] == list(range(1, 102))


async def test_one_client_id_on_two_replicas_at_once_is_one_message(desk: Desk) -> None:
    conversations = [await desk.open_conversation() for _ in range(2)]
    outcomes: Counter[str] = Counter()

    async def attempt(writers: Writers, conversation_id: str, client_message_id: str) -> None:
        one = draft(conversation_id, client_message_id=client_message_id)
        try:
            await write(writers, desk.workspace_id, one)
        except AlreadyExists:
            outcomes["refused"] += 1
        else:
            outcomes["stored"] += 1

    async with another_replica(desk.means.worker) as other:
        for _ in range(40):
            client_message_id = new_id()
            async with asyncio.TaskGroup() as group:
                for place, writers in enumerate((desk.means.writers, other)):
                    conversation_id = conversations[place]
                    group.create_task(attempt(writers, conversation_id, client_message_id))

    assert outcomes == {"stored": 40, "refused": 40}


async def test_many_replicas_meet_a_new_customer_and_open_one_conversation(desk: Desk) -> None:
    channel_id = await desk.connect()
    async with another_replica(desk.means.worker) as other:
        here = desk.means
        for number in range(20):
            there = Desk(desk.workspace_id, replace(desk.means, writers=other), desk.server)
            async with asyncio.TaskGroup() as group:
                for one in (desk, there):
                    group.create_task(one.customer_writes(channel_id, customer=f"{number}"))

    async with here.worker.begin(desk.workspace_id) as transaction:
        rows = await transaction.raw.fetch("SELECT last_seq FROM threads")
    assert [row[0] for row in rows] == [2] * 20


async def _outcomes(waiting: list[asyncio.Future[Stored]]) -> list[Stored | BaseException]:
    outcomes: list[Stored | BaseException] = []
    for future in waiting:
        try:
            outcomes.append(await future)
        except (Fault, asyncpg.PostgresError) as error:
            outcomes.append(error)
    return outcomes


async def _end_backends(servers: TestServers, urls: DatabaseUrls) -> None:
    async with connected(with_database(servers.database_url, urls.name)) as connection:
        await connection.execute(END_WRITERS_BACKENDS, urls.name)
