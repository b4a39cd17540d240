"""Reading without a transaction: what it sees, what it refuses, and what it leaves behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from chassis.database import Database, DatabaseUnavailable, Reading
from chassis.ids import WorkspaceId, new_id
from suite.databases import DatabaseUrls
from tests.servers import breakable_postgres

HERE = WorkspaceId(new_id())
ELSEWHERE = WorkspaceId(new_id())
COUNT = "SELECT count(*) FROM notes"
STANDS_IN = "SELECT current_setting('inbox.workspace', true)"


@pytest.fixture
async def narrow(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """One connection of each kind, so that every reader gets the one of the reader before."""
    database = Database(urls.app, pool_size=1)
    yield database
    await database.close()


async def write(database: Database, workspace_id: WorkspaceId) -> None:
    async with database.begin(workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO notes (workspace_id, key, version, body) VALUES ($1, $2, 1, '')",
            workspace_id,
            new_id(),
        )


async def count(database: Database, workspace_id: WorkspaceId | None) -> int:
    async with database.read(workspace_id) as reading:
        found: int = await reading.raw.fetchval(COUNT)
        return found


async def session_of(reading: Reading) -> int:
    pid: int = await reading.raw.fetchval("SELECT pg_backend_pid()")
    return pid


async def test_each_reader_sees_the_rows_of_its_own_workspace_only(narrow: Database) -> None:
    await write(narrow, HERE)
    await write(narrow, HERE)
    await write(narrow, ELSEWHERE)

    seen = [await count(narrow, each) for each in (HERE, ELSEWHERE, None, HERE, HERE, None)]

    assert seen == [2, 1, 0, 2, 2, 0]


async def test_a_reader_sees_at_once_what_was_committed(narrow: Database) -> None:
    async with narrow.read(HERE) as reading:
        before = await reading.raw.fetchval(COUNT)
        await write(narrow, HERE)
        after = await reading.raw.fetchval(COUNT)

    assert (before, after) == (0, 1)


async def test_nothing_can_be_written_where_one_reads(narrow: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with narrow.read(HERE) as reading:
            await reading.raw.execute("DELETE FROM notes")

    await write(narrow, HERE)
    assert await count(narrow, HERE) == 1


async def test_a_transaction_does_not_meet_the_workspace_of_a_reader(narrow: Database) -> None:
    await write(narrow, HERE)
    assert await count(narrow, HERE) == 1

    async with narrow.begin() as transaction:
        assert await transaction.raw.fetchval(COUNT) == 0
        assert not await transaction.raw.fetchval(STANDS_IN)


async def test_a_reader_takes_the_connection_that_stands_in_its_workspace(
    urls: DatabaseUrls,
) -> None:
    database = Database(urls.app, pool_size=4)
    async with database.read(HERE) as here, database.read(ELSEWHERE) as elsewhere:
        sessions = {HERE: await session_of(here), ELSEWHERE: await session_of(elsewhere)}

    for workspace_id in (ELSEWHERE, HERE, HERE, ELSEWHERE):
        async with database.read(workspace_id) as reading:
            assert await session_of(reading) == sessions[workspace_id]
    await database.close()


async def test_json_is_given_as_in_a_transaction(narrow: Database) -> None:
    ask = "SELECT '{\"a\": [1, null]}'::jsonb, array['{\"b\": 2}'::json], $1::jsonb"
    async with narrow.begin(HERE) as transaction:
        expected = await transaction.raw.fetchrow(ask, '{"c": 3}')

    async with narrow.read(HERE) as reading:
        assert await reading.raw.fetchrow(ask, '{"c": 3}') == expected


async def test_a_statement_that_fails_leaves_the_connection_to_the_next(narrow: Database) -> None:
    async with narrow.read(HERE) as reading:
        session = await session_of(reading)
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with narrow.read(HERE) as reading:
            await reading.raw.fetchval("SELECT 1 / 0")

    async with narrow.read(HERE) as reading:
        assert await session_of(reading) == session


async def test_a_cancelled_reader_leaves_no_connection_behind(narrow: Database) -> None:
    sessions: list[int] = []

    async def slow() -> None:
        async with narrow.read(HERE) as reading:
            sessions.append(await session_of(reading))
            await reading.raw.execute("SELECT pg_sleep(60)")

    task = asyncio.ensure_future(slow())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with narrow.read(HERE) as reading:
        assert await session_of(reading) not in sessions


async def test_a_storm_of_cancellations_shows_nobody_anothers_rows(urls: DatabaseUrls) -> None:
    database = Database(urls.app, pool_size=6)
    workspaces = [WorkspaceId(new_id()) for _ in range(8)]
    for number, workspace_id in enumerate(workspaces):
        for _ in range(number):
            await write(database, workspace_id)
    dice = random.Random(7)

    async def work(number: int) -> None:
        assert await count(database, workspaces[number]) == number

    for _ in range(10):
        tasks = [asyncio.ensure_future(work(dice.randrange(8))) for _ in range(30)]
        await asyncio.sleep(dice.random() * 0.02)
        for task in tasks:
            if dice.random() < 0.5:
                task.cancel()
        done, _ = await asyncio.wait(tasks, timeout=30)
        assert len(done) == len(tasks)
        for task in done:
            assert task.cancelled() or task.exception() is None
    await database.close()


async def test_another_parts_failure_inside_the_block_is_not_blamed_on_the_database(
    narrow: Database,
) -> None:
    with pytest.raises(OSError, match="a file"):
        async with narrow.read(HERE):
            raise OSError("a file")

    assert await count(narrow, HERE) == 0


async def test_a_restarted_postgres_is_met_by_fresh_connections_at_once(tmp_path: Path) -> None:
    with breakable_postgres(tmp_path) as postgres:
        database = Database(postgres.server.url, pool_size=2)
        with pytest.raises(DatabaseUnavailable):
            async with database.read() as reading:
                await postgres.in_thread(postgres.kill)
                await reading.raw.execute("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            async with database.read():
                pass
        postgres.start()

        async with database.read() as reading:
            assert await reading.raw.fetchval("SELECT 1") == 1
        async with database.read() as reading:
            await postgres.in_thread(postgres.kill)
            postgres.start()
        async with database.read() as reading:
            assert await reading.raw.fetchval("SELECT 1") == 1
        await database.close()
