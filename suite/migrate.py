"""Brings every service's database to the schema of this checkout."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from suite.databases import DATABASES, database_of, urls
from suite.infra.program import SuiteError
from suite.settings import ROOT, python_environment, python_program

if TYPE_CHECKING:
    from collections.abc import Mapping

MIGRATE_SECONDS = 600


def migrated_services() -> list[str]:
    """Services of this checkout that have migrations."""
    return [
        database.service
        for database in DATABASES
        if (ROOT / "services" / database.service / "migrations").is_dir()
    ]


async def migrate_all(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Run every service's migrations, side by side: each has its own database."""
    async with asyncio.TaskGroup() as group:
        for service in migrated_services():
            group.create_task(_migrate(service, superuser_url, passwords))


async def _migrate(service: str, superuser_url: str, passwords: Mapping[str, str]) -> None:
    owner = urls(superuser_url, database_of(service), passwords).owner
    process = await asyncio.create_subprocess_exec(
        python_program(),
        "-P",
        "-m",
        "chassis.migrations",
        service,
        env=python_environment() | {"INBOX_OWNER_DATABASE_URL": owner},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(MIGRATE_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SuiteError(f"migrations of {service} took more than {MIGRATE_SECONDS} s") from None
    if process.returncode:
        raise SuiteError(f"migrations of {service} failed:\n{output.decode(errors='replace')}")
