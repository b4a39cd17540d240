"""The tables as the code sees them are the tables as the migrations make them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.migrations import folder_of, migrate
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import ALL, CounterKind, Tally
from services.conversation.schema import metadata
from services.conversation.store import counters
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database

OLD_CONVERSATIONS = """
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version)
SELECT $1, md5('conversation' || n)::uuid, $1, $2, 'web_chat',
       CASE WHEN n % 3 = 0 THEN 'solved' ELSE 'open' END, 1, CASE WHEN n > 3 THEN 1 ELSE 0 END,
       0, 'manual', 1, 'life', now(), 1
FROM generate_series(1, 9) n
"""
ELSEWHERE = {
    "alembic_version",
    "audit_entries",
    "audit_chains",
    "outbox",
    "events",
    "log_state",
    "log_workspaces",
    "consumer_cursors",
    "parked_events",
}
"""Tables that the chassis makes."""


async def test_schema_and_migrations_make_the_same_tables(urls: DatabaseUrls) -> None:
    owner = Database(urls.owner)

    async with owner.begin() as transaction:
        differences = await transaction.sql.run_sync(_differences)
    await owner.close()

    assert differences == []


async def test_every_table_forces_row_security(app: Database) -> None:
    async with app.begin() as transaction:
        rows = await transaction.raw.fetch(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AS is_forced FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )

    assert {row["relname"] for row in rows if not row["is_forced"]} == {"alembic_version"}


async def test_counters_begin_with_what_a_released_database_has(
    servers: TestServers, tmp_path: Path
) -> None:
    released = tmp_path / "migrations"
    later = shutil.ignore_patterns("000[3-9]_*", "__pycache__")
    shutil.copytree(folder_of("conversation"), released, ignore=later)

    def migrate_at_first(owner_url: str) -> None:
        asyncio.run(migrate(owner_url, "conversation", released))

    workspace_id, channel_id = WorkspaceId(new_id()), new_id()
    with fresh_database(servers, "conversation", migrate_at_first) as urls:
        worker = Database(urls.worker)
        async with worker.begin(workspace_id) as transaction:
            await transaction.raw.execute(
                "INSERT INTO contacts VALUES ($1, $1, 'Ana', now(), 1)", workspace_id
            )
            await transaction.raw.execute(OLD_CONVERSATIONS, workspace_id, channel_id)

        await migrate(urls.owner, "conversation")

        async with worker.begin(workspace_id) as transaction:
            counted = {
                (counter.kind, counter.subject_id, counter.folder): counter.tally
                for counter in await counters.every(transaction)
            }
            assert await counters.drift(transaction) == {}
        await worker.close()
    assert counted == {
        (CounterKind.FOLDER, ALL, Folder.OPEN): Tally(6, 2),
        (CounterKind.FOLDER, ALL, Folder.SOLVED): Tally(3, 1),
        (CounterKind.CHANNEL, channel_id, Folder.OPEN): Tally(6, 2),
        (CounterKind.CHANNEL, channel_id, Folder.SOLVED): Tally(3, 1),
    }


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, kind, _: kind != "table" or name not in ELSEWHERE},
    )
    return list(compare_metadata(context, metadata))
