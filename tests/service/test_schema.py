"""The tables as each service's code sees them are the tables as its migrations make them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from chassis.database import Database
from suite.databases import DATABASES, DatabaseUrls

OF_THE_CHASSIS = {
    "alembic_version",
    "audit_entries",
    "audit_chains",
    "outbox",
    "events",
    "erased_events",
    "log_state",
    "log_workspaces",
    "consumer_cursors",
    "parked_events",
}
"""Tables that no service's schema names."""


@pytest.fixture(scope="module", params=[database.service for database in DATABASES])
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_schema_and_migrations_make_the_same_tables(service: str, urls: DatabaseUrls) -> None:
    schema = importlib.import_module(f"services.{service}.schema")

    def differences(connection: Connection) -> list[Any]:
        options = {"include_name": is_the_services_own}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, schema.metadata))

    owner = Database(urls.owner)
    async with owner.begin() as transaction:
        found = await transaction.sql.run_sync(differences)
    await owner.close()

    assert found == []


async def test_every_table_forces_row_security(app: Database) -> None:
    async with app.begin() as transaction:
        rows = await transaction.raw.fetch(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AS is_forced FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )

    assert {row["relname"] for row in rows if not row["is_forced"]} == {"alembic_version"}


def is_the_services_own(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or name not in OF_THE_CHASSIS
