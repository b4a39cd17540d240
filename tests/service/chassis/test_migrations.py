"""Migrations: many runners, a newer database, waiting services, and who may see what."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.migrations import SchemaNewer, SchemaNotReady, migrate, wait_for_schema
from suite.databases import DatabaseUrls, connected
from suite.settings import ROOT, python_environment, python_program
from tests.service.chassis.conftest import FOLDER, SERVICE

COMMAND_SECONDS = 60
THIRD = '''"""One more."""
from alembic import op
from chassis import migrations
revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE more (id bigint PRIMARY KEY)")
    op.execute("ALTER TABLE notes ADD COLUMN extra text")
    migrations.create_index_concurrently(op, "ix_notes_extra", "ON notes (workspace_id, extra)")
'''


def folder_with_third_script(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0003_third.py").write_text(THIRD)
    return folder


async def test_many_runners_at_once_do_the_work_once(
    empty_database: DatabaseUrls, tmp_path: Path
) -> None:
    folder = folder_with_third_script(tmp_path)

    async with asyncio.TaskGroup() as runners:
        runs = [
            runners.create_task(migrate(empty_database.owner, SERVICE, folder)) for _ in range(4)
        ]

    assert {run.result() for run in runs} == {"0003"}
    async with connected(empty_database.owner) as connection:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_notes_extra'::regclass"
        )


async def test_the_command_brings_a_services_empty_database_up_to_date(
    empty_database: DatabaseUrls,
) -> None:
    told = python_environment() | {"INBOX_OWNER_DATABASE_URL": empty_database.owner}
    command = await asyncio.create_subprocess_exec(
        python_program(), "-m", "chassis.migrations", SERVICE, cwd=ROOT, env=told
    )

    assert await asyncio.wait_for(command.wait(), COMMAND_SECONDS) == 0

    database = Database(empty_database.app)
    await wait_for_schema(database, SERVICE, within=timedelta(seconds=5))
    await database.close()


async def test_a_newer_database_is_refused_by_runner_and_service(
    urls: DatabaseUrls, tmp_path: Path
) -> None:
    await migrate(urls.owner, SERVICE, folder_with_third_script(tmp_path))

    with pytest.raises(SchemaNewer, match="0003"):
        await migrate(urls.owner, SERVICE, FOLDER)
    database = Database(urls.app)
    with pytest.raises(SchemaNewer):
        await wait_for_schema(database, SERVICE, folder=FOLDER)
    await database.close()


async def test_a_service_waits_until_its_schema_is_there(empty_database: DatabaseUrls) -> None:
    database = Database(empty_database.app)
    with pytest.raises(SchemaNotReady):
        await wait_for_schema(database, SERVICE, folder=FOLDER, within=timedelta(milliseconds=300))

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_for_schema(database, SERVICE, folder=FOLDER))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await migrate(empty_database.owner, SERVICE, FOLDER)
    await database.close()


async def test_a_migration_does_not_queue_requests_behind_a_lock_it_cannot_get(
    urls: DatabaseUrls, tmp_path: Path
) -> None:
    async with connected(urls.owner) as holder:
        reading = holder.transaction()
        await reading.start()
        await holder.execute("LOCK TABLE notes IN ACCESS SHARE MODE")
        async with asyncio.TaskGroup() as group:
            run = group.create_task(
                migrate(urls.owner, SERVICE, folder_with_third_script(tmp_path))
            )
            await asyncio.sleep(3.5)
            assert not run.done()
            async with connected(urls.app) as other:
                await asyncio.wait_for(other.fetch("SELECT count(*) FROM notes"), 5)
            await reading.rollback()

    assert run.result() == "0003"


async def test_every_table_forces_row_security_and_no_role_may_bypass_it(
    urls: DatabaseUrls,
) -> None:
    async with connected(urls.owner) as connection:
        open_tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' "
            "AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
        strong_roles = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'inbox%' "
            "AND rolname NOT LIKE '%suite' AND (rolbypassrls OR rolsuper)"
        )

    assert open_tables == []
    assert strong_roles == []


async def test_a_tenant_table_shows_only_the_transactions_workspace(
    app: Database, worker: Database
) -> None:
    here, elsewhere = WorkspaceId(new_id()), WorkspaceId(new_id())
    for database, key in ((app, "a"), (worker, "b")):
        async with database.begin(here) as transaction:
            await transaction.raw.execute(
                "INSERT INTO notes (workspace_id, key, version, body) VALUES ($1, $2, 1, '')",
                here,
                key,
            )

    for database in (app, worker):
        for workspace, seen in ((here, 2), (elsewhere, 0), (None, 0)):
            async with database.begin(workspace) as transaction:
                assert await transaction.raw.fetchval("SELECT count(*) FROM notes") == seen
                await transaction.raw.execute("UPDATE notes SET body = 'mine'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.begin(elsewhere) as transaction:
                await transaction.raw.execute(
                    "INSERT INTO notes (workspace_id, key, version, body) VALUES ($1, 'x', 1, '')",
                    here,
                )


async def test_a_worker_table_is_whole_for_the_worker_and_narrow_for_the_app(
    app: Database, worker: Database
) -> None:
    here, elsewhere = WorkspaceId(new_id()), WorkspaceId(new_id())
    for workspace in (here, elsewhere):
        async with app.begin(workspace) as transaction:
            await transaction.raw.execute("INSERT INTO leases VALUES ($1, 'x')", workspace)

    async with worker.begin() as transaction:
        assert await transaction.raw.fetchval("SELECT count(*) FROM leases") == 2
    async with app.begin(here) as transaction:
        assert await transaction.raw.fetchval("SELECT count(*) FROM leases") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with app.begin(here) as transaction:
            await transaction.raw.execute("DELETE FROM leases")


@pytest.mark.parametrize(
    ("subject", "ordering_key", "traceparent"),
    [
        ("inbox.x.v1.made.ELSE", "k", ""),
        ("inbox.x.v1.made two.{here}", "k", ""),
        ("inbox.x.v1.made.{elsewhere}", "k", ""),
        ("inbox.x.v1.made.{here}", "k\r\nInbox-Gpos: 1", ""),
        ("inbox.x.v1.made.{here}", "", ""),
        ("inbox.x.v1.made.{here}", "k", "00-\r\n"),
    ],
)
async def test_the_outbox_refuses_what_the_log_could_not_carry(
    app: Database, subject: str, ordering_key: str, traceparent: str
) -> None:
    here, elsewhere = WorkspaceId(new_id()), new_id()

    with pytest.raises(asyncpg.CheckViolationError):
        async with app.begin(here) as transaction:
            await transaction.raw.execute(
                "INSERT INTO outbox (event_id, workspace_id, subject, ordering_key, payload, "
                "create_time, traceparent) VALUES ($1, $2, $3, $4, '', now(), $5)",
                new_id(),
                here,
                subject.format(here=here, elsewhere=elsewhere),
                ordering_key,
                traceparent,
            )
