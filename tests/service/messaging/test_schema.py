"""The tables as the code sees them are the tables as the migrations make them."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from chassis.database import Database
from services.messaging.schema import metadata
from suite.databases import DatabaseUrls

ELSEWHERE = {
    "alembic_version",
    "audit_entries",
    "audit_chains",
    "outbox",
    "events",
    "log_state",
    "log_workspaces",
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

    assert {row["relname"] for row in rows if not row["is_forced"]} <= {"alembic_version"}


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, kind, _: kind != "table" or name not in ELSEWHERE},
    )
    return list(compare_metadata(context, metadata))
