"""Brings every service's database to the schema of this checkout.

What a database was last migrated by is remembered as its comment, so a warm start reads one row
instead of loading the migration tool; a restored database has no comment and is migrated.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from suite.databases import DATABASES, ServiceDatabase, connected, urls
from suite.infra.program import SuiteError
from suite.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg


async def migrate_all(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Migrate what is not at this checkout's schema; raises SuiteError when one is newer."""
    async with connected(superuser_url) as connection:
        for database in DATABASES:
            digest = schema_digest(database.service)
            if digest is not None and await _remembered(connection, database) != digest:
                await _migrate(database, urls(superuser_url, database, passwords).owner)
                await connection.execute(f"COMMENT ON DATABASE {database.name} IS '{digest}'")


def schema_digest(service: str) -> str | None:
    """Changes with every migration and with what runs them; None for a service without any."""
    folder = ROOT / "services" / service / "migrations"
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted([*folder.rglob("*.py"), *(ROOT / "chassis").rglob("*migration*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


async def _remembered(connection: asyncpg.Connection, database: ServiceDatabase) -> str | None:
    comment: str | None = await connection.fetchval(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1",
        database.name,
    )
    return comment


async def _migrate(database: ServiceDatabase, owner_url: str) -> None:
    # Here, because loading it takes longer than everything else a warm start does.
    from chassis.migrations import SchemaNewer, migrate  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        await migrate(owner_url, database.service)
    except SchemaNewer as newer:
        raise SuiteError(
            f"{newer}.\nUpdate this checkout (`git pull`) or use --data DIR."
        ) from newer
