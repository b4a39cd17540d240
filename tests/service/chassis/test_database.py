"""The unit of work: what commits, what does not, and what a broken database looks like."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from chassis.database import (
    Database,
    DatabaseUnavailable,
    Transaction,
    TransactionCollided,
    TransactionLost,
)
from chassis.ids import WorkspaceId, new_id
from suite.databases import DatabaseUrls, connected
from tests.servers import breakable_postgres

HERE = WorkspaceId(new_id())


@pytest.fixture
async def narrow(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """One connection, so a leaked one is noticed at once."""
    database = Database(urls.app, pool_size=1)
    yield database
    await database.close()


async def write(transaction: Transaction, key: str) -> None:
    await transaction.raw.execute(
        "INSERT INTO notes (workspace_id, key, version, body) VALUES ($1, $2, 1, '')", HERE, key
    )


async def count(database: Database) -> int:
    async with database.begin(HERE) as transaction:
        found: int = await transaction.raw.fetchval("SELECT count(*) FROM notes")
        return found


async def test_core_and_raw_statements_share_one_transaction(narrow: Database) -> None:
    class Refusal(Exception):
        pass

    async with narrow.begin(HERE) as transaction:
        await write(transaction, "kept")
        seen = await transaction.sql.execute(text("SELECT count(*) FROM notes"))
        assert seen.scalar_one() == 1
    with pytest.raises(Refusal):
        async with narrow.begin(HERE) as transaction:
            await write(transaction, "lost")
            await transaction.sql.execute(text("UPDATE notes SET body = 'lost'"))
            raise Refusal

    assert await count(narrow) == 1


async def test_a_call_after_commit_is_made_only_then(narrow: Database) -> None:
    calls: list[str] = []

    async with narrow.begin(HERE) as transaction:
        transaction.after_commit(lambda: calls.append("committed"))
        assert calls == []
    with pytest.raises(ValueError, match="no"):
        async with narrow.begin(HERE) as transaction:
            transaction.after_commit(lambda: calls.append("rolled back"))
            raise ValueError("no")

    assert calls == ["committed"]


async def test_a_swallowed_statement_error_does_not_pass_for_a_commit(narrow: Database) -> None:
    with pytest.raises(TransactionLost):
        async with narrow.begin(HERE) as transaction:
            await write(transaction, "a")
            with pytest.raises(asyncpg.UniqueViolationError):
                await write(transaction, "a")

    assert await count(narrow) == 0


async def test_a_cancelled_statement_leaves_a_clean_connection(narrow: Database) -> None:
    async def slow() -> None:
        async with narrow.begin(HERE) as transaction:
            await write(transaction, "cancelled")
            await transaction.raw.execute("SELECT pg_sleep(60)")

    task = asyncio.ensure_future(slow())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count(narrow) == 0


async def test_a_storm_of_cancellations_leaks_neither_connections_nor_tenants(
    urls: DatabaseUrls,
) -> None:
    database = Database(urls.app, pool_size=3)
    dice = random.Random(7)

    async def work(number: int) -> None:
        async with database.begin(WorkspaceId(new_id())) as transaction:
            await transaction.raw.execute(
                "INSERT INTO notes (workspace_id, key, version, body) "
                "VALUES (current_setting('inbox.workspace')::uuid, $1, 1, '')",
                str(number),
            )
            await transaction.sql.execute(text("SELECT count(*) FROM notes"))
            await asyncio.sleep(dice.random() * 0.01)

    for start in range(0, 300, 30):
        tasks = [asyncio.ensure_future(work(start + i)) for i in range(30)]
        await asyncio.sleep(dice.random() * 0.05)
        for task in tasks:
            if dice.random() < 0.7:
                task.cancel()
        done, _ = await asyncio.wait(tasks, timeout=30)
        assert len(done) == len(tasks)
        for task in done:
            assert task.cancelled() or task.exception() is None
    assert database._engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    for _ in range(6):
        async with database.begin() as transaction:
            assert await transaction.raw.fetchval("SELECT count(*) FROM notes") == 0
            setting = await transaction.raw.fetchval(
                "SELECT current_setting('inbox.workspace', true)"
            )
            assert not setting
    await database.close()


@pytest.mark.parametrize("error", [TimeoutError("ours"), OSError("a file"), ConnectionError("rpc")])
async def test_another_parts_failure_inside_the_block_is_not_blamed_on_the_database(
    narrow: Database, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        async with narrow.begin(HERE):
            raise error

    assert raised.value is error
    assert await count(narrow) == 0


async def test_two_statements_at_once_are_our_fault_not_the_databases(narrow: Database) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with narrow.begin(HERE) as transaction, asyncio.TaskGroup() as group:
            group.create_task(transaction.raw.fetch("SELECT pg_sleep(0.2)"))
            group.create_task(transaction.raw.fetch("SELECT pg_sleep(0.2)"))

    assert raised.group_contains(asyncpg.InterfaceError)
    assert await count(narrow) == 0


async def test_a_deadlock_is_told_as_a_collision(app: Database) -> None:
    async with app.begin(HERE) as transaction:
        await write(transaction, "a")
        await write(transaction, "b")
    both_hold = asyncio.Barrier(2)

    async def update(first: str, second: str) -> str:
        try:
            async with app.begin(HERE) as transaction:
                lock = "SELECT 1 FROM notes WHERE key = $1 FOR UPDATE"
                await transaction.raw.execute(lock, first)
                await both_hold.wait()
                await transaction.raw.execute(lock, second)
        except TransactionCollided:
            return "collided"
        return "committed"

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(update("a", "b")),
            group.create_task(update("b", "a")),
        ]

    assert sorted(task.result() for task in tasks) == ["collided", "committed"]


async def test_a_restarted_postgres_is_met_by_fresh_connections_at_once(tmp_path: Path) -> None:
    with breakable_postgres(tmp_path) as postgres:
        database = Database(postgres.server.url, pool_size=6)
        everybody = asyncio.Barrier(6)

        async def warm_up() -> None:
            async with database.begin():
                await everybody.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(warm_up())

        with pytest.raises(DatabaseUnavailable):
            async with database.begin() as transaction:
                await postgres.in_thread(postgres.kill)
                await transaction.raw.execute("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            async with database.begin():
                pass
        postgres.start()

        async with database.begin() as transaction:
            assert await transaction.raw.fetchval("SELECT 1") == 1
        await database.close()


async def test_a_database_that_takes_no_more_connections_is_told_as_unavailable(
    urls: DatabaseUrls,
) -> None:
    async with connected(urls.owner) as owner:
        await owner.execute(f"ALTER DATABASE {urls.name} CONNECTION LIMIT 0")
    database = Database(urls.app)

    with pytest.raises(DatabaseUnavailable):
        async with database.begin():
            pass
    with pytest.raises(DatabaseUnavailable):
        await database.connect()
    await database.close()


async def test_a_core_statement_on_a_lost_connection_is_told_as_unavailable(
    tmp_path: Path,
) -> None:
    with breakable_postgres(tmp_path) as postgres:
        database = Database(postgres.server.url)
        with pytest.raises(DatabaseUnavailable):
            async with database.begin() as transaction:
                await postgres.in_thread(postgres.kill)
                await transaction.sql.execute(text("SELECT 1"))
        await database.close()


async def test_a_cancellation_during_the_rollback_on_a_stalled_server_is_not_lost(
    tmp_path: Path,
) -> None:
    with breakable_postgres(tmp_path) as postgres:
        database = Database(postgres.server.url, pool_size=1)

        async def fails() -> None:
            async with database.begin() as transaction:
                await transaction.raw.execute("SELECT 1")
                postgres.stall()
                raise ValueError("a fault of the action's own")

        task = asyncio.ensure_future(fails())
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)
        postgres.resume()

        async with database.begin() as transaction:
            assert await transaction.raw.fetchval("SELECT 1") == 1
        await database.close()
