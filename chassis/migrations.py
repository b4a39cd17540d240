"""Migrations: brings a service's database to the schema its program knows, and waits for that.

    python -m chassis.migrations <service>

runs `services/<service>/migrations/versions/` with alembic, as the role that owns the tables
(INBOX_OWNER_DATABASE_URL). Any number may run at once: one works under an advisory lock, the
others wait and then find nothing to do. A database that is newer than this program is refused.
Each script is one transaction and gives up after `LOCK_WITHIN` on a lock that requests hold, so
a migration never queues the whole service behind itself; it is then tried again.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import exc, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database import AWAY, Database, DatabaseUnavailable
from chassis.database_faults import cause_of
from chassis.errors import CannotStart
from chassis.migration_audit import audit_tables
from chassis.migration_events import (
    consuming_tables,
    erasing_tables,
    plain_outbox_checks,
    publishing_tables,
)
from chassis.migration_tables import (
    create_index_concurrently,
    open_to_worker_in_many,
    service_role,
    tenant_table,
    worker_table,
)

__all__ = [
    "SchemaNewer",
    "SchemaNotReady",
    "audit_tables",
    "consuming_tables",
    "create_index_concurrently",
    "erasing_tables",
    "folder_of",
    "migrate",
    "open_to_worker_in_many",
    "plain_outbox_checks",
    "publishing_tables",
    "service_role",
    "tenant_table",
    "wait_for_schema",
    "worker_table",
]

LOCK = "inbox.migrations"
LOCK_WITHIN = timedelta(seconds=3)
TRY_AGAIN_AFTER = timedelta(seconds=2)
TRIES = 30
CONNECT_WITHIN = timedelta(seconds=60)
TURN_WITHIN = timedelta(minutes=30)
"""How long one runner waits for another; a backfill may take its time."""
POLL = timedelta(milliseconds=200)
MISSING = (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError)
"""The version table is not there yet, or not yet granted."""


class SchemaNewer(CannotStart):
    """The database was migrated by a newer program than this."""

    def __init__(self, service: str, revision: str) -> None:
        super().__init__(
            f"the database of {service} stands at revision {revision}, which this version does not "
            f"know: run the version that made it, or a newer one"
        )


class SchemaNotReady(CannotStart):
    """Nobody brought the database to the schema this program needs in time."""

    def __init__(self, service: str, present: str | None, needed: str | None) -> None:
        super().__init__(
            f"the database of {service} stands at revision {present}, {needed} is needed: "
            f"run `python -m chassis.migrations {service}`"
        )


def folder_of(service: str) -> Path:
    """Where a service keeps its migrations."""
    return Path(__file__).resolve().parents[1] / "services" / service / "migrations"


async def migrate(owner_url: str, service: str, folder: Path | None = None) -> str | None:
    """Bring a database to the newest revision of the folder; returns that revision.

    A repeat changes nothing. Raises: SchemaNewer.
    """
    scripts = _scripts(folder or folder_of(service))
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"timeout": CONNECT_WITHIN.total_seconds()},
    )
    # The lock has a connection of its own: scripts may leave their transaction (autocommit).
    lock = await asyncpg.connect(
        make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False),
        timeout=CONNECT_WITHIN.total_seconds(),
    )
    try:
        async with asyncio.timeout(TURN_WITHIN.total_seconds()):
            # Waiting inside the database would hold a snapshot, and CREATE INDEX CONCURRENTLY of
            # the runner that has the lock would wait for that one: each for the other.
            while not await lock.fetchval(  # noqa: ASYNC110 - the lock is in the database
                "SELECT pg_try_advisory_lock(hashtext($1))", LOCK
            ):
                await asyncio.sleep(POLL.total_seconds())
        for tries_left in reversed(range(TRIES)):
            try:
                async with engine.connect() as connection:
                    await _upgrade(connection, service, scripts)
                return scripts.get_current_head()
            except exc.DBAPIError as error:
                if not _is_lock_timeout(error) or tries_left == 0:
                    raise
            jitter = 1 + random.random()  # noqa: S311 - spreads tries, keeps no secret
            await asyncio.sleep(TRY_AGAIN_AFTER.total_seconds() * jitter)
    finally:
        lock.terminate()
        await engine.dispose()
    return None


async def wait_for_schema(
    database: Database,
    service: str,
    *,
    within: timedelta = timedelta(seconds=120),
    folder: Path | None = None,
) -> None:
    """Return once the database has the schema this program knows; a service does this at start.

    Raises: SchemaNewer, SchemaNotReady.
    """
    scripts = _scripts(folder or folder_of(service))
    head = scripts.get_current_head()
    present: str | None = None
    try:
        async with asyncio.timeout(within.total_seconds()):
            while True:
                present = await _present_revision(database)
                if present == head:
                    return
                _refuse_newer(service, scripts, present)
                await asyncio.sleep(POLL.total_seconds())
    except TimeoutError:
        raise SchemaNotReady(service, present, head) from None


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])


async def _upgrade(connection: AsyncConnection, service: str, scripts: ScriptDirectory) -> None:
    await connection.execute(text(f"SET lock_timeout = {_milliseconds(LOCK_WITHIN)}"))
    await connection.execute(text("SET timezone = 'UTC'"))
    await connection.commit()
    await connection.run_sync(_run_scripts, service, scripts)


def _run_scripts(connection: Connection, service: str, scripts: ScriptDirectory) -> None:
    def steps(present: Any, _context: Any) -> Any:
        _refuse_newer(service, scripts, present[0] if present else None)
        return scripts._upgrade_revs("head", present)  # noqa: SLF001 - alembic's own recipe

    run: Callable[..., Any] = steps
    with EnvironmentContext(Config(), scripts, fn=run, destination_rev="head") as environment:
        environment.configure(connection=connection, transaction_per_migration=True)
        environment.run_migrations()
    if connection.in_transaction():
        connection.commit()
    _open_version_table(connection)


def _open_version_table(connection: Connection) -> None:
    """Let the service see which schema it has."""
    owner: str = connection.exec_driver_sql("SELECT current_user").scalar_one()
    service = owner.removesuffix("_owner")
    connection.exec_driver_sql(
        f"GRANT SELECT ON alembic_version TO {service}_app, {service}_worker"
    )
    connection.commit()


def _refuse_newer(service: str, scripts: ScriptDirectory, present: str | None) -> None:
    if present is None:
        return
    try:
        scripts.get_revision(present)
    except CommandError:
        raise SchemaNewer(service, present) from None


async def _present_revision(database: Database) -> str | None:
    try:
        async with database.begin() as transaction:
            revision: str | None = await transaction.raw.fetchval(
                "SELECT version_num FROM alembic_version"
            )
            return revision
    except (*MISSING, DatabaseUnavailable):
        return None


def _is_lock_timeout(error: exc.DBAPIError) -> bool:
    return isinstance(cause_of(error), asyncpg.LockNotAvailableError)


def _milliseconds(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


def main(arguments: list[str]) -> None:
    """Migrate the service named on the command line."""
    if len(arguments) != 1 or not folder_of(arguments[0]).is_dir():
        sys.exit("usage: python -m chassis.migrations <service with migrations>")
    owner_url = os.environ.get("INBOX_OWNER_DATABASE_URL")  # noqa: TID251 - a command of its own
    if not owner_url:
        sys.exit("set INBOX_OWNER_DATABASE_URL to the address of the role that owns the tables")
    try:
        revision = asyncio.run(migrate(owner_url, arguments[0]))
    except (SchemaNewer, *AWAY, OSError) as fault:
        sys.exit(f"{arguments[0]}: {fault}")
    sys.stdout.write(f"{arguments[0]} is at revision {revision}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
