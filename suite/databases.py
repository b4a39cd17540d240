"""Creates every service's database and its three roles, from a superuser's address.

    python -m suite.databases

reads INBOX_SUITE_DATABASE_URL and, for each role, INBOX_<SERVICE>_<ROLE>_PASSWORD. Repeating it
changes nothing but passwords. `./dev up` uses the same functions; compose runs it once.

Per service: `inbox_<service>_owner` owns the tables and only migrates; `inbox_<service>_app`
serves requests; `inbox_<service>_worker` runs the background loops. None of them may bypass row
security, create roles or create databases, and none may connect to another service's database.
What app and worker may do with a table is granted by the migration that creates the table.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from suite.settings import process_environment, suite_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ROLES = ("owner", "app", "worker")
CONNECT_SECONDS = 15
LOCK = 0x1B0C5
"""Advisory lock held while roles and databases are created: concurrent creators take turns."""


@dataclass(frozen=True, kw_only=True)
class ServiceDatabase:
    """One service's database as data."""

    service: str
    extensions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The database's name."""
        return f"inbox_{self.service}"

    def role(self, kind: str) -> str:
        """The name of one of its roles."""
        return f"inbox_{self.service}_{kind}"


DATABASES = (
    ServiceDatabase(service="identity"),
    ServiceDatabase(service="conversation", extensions=("pg_trgm", "unaccent")),
    ServiceDatabase(service="messaging"),
    ServiceDatabase(service="media"),
    ServiceDatabase(service="assistant", extensions=("unaccent",)),
)


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """The addresses of one database, by role."""

    name: str
    owner: str = field(repr=False)
    app: str = field(repr=False)
    worker: str = field(repr=False)


def database_of(service: str) -> ServiceDatabase:
    """The entry of a service in DATABASES."""
    return next(database for database in DATABASES if database.service == service)


def urls(
    superuser_url: str,
    database: ServiceDatabase,
    passwords: Mapping[str, str],
    *,
    name: str | None = None,
) -> DatabaseUrls:
    """The addresses a service is given; `passwords` is by role name."""

    def url(kind: str) -> str:
        role = database.role(kind)
        return with_user(superuser_url, role, passwords[role], name or database.name)

    return DatabaseUrls(
        name=name or database.name, owner=url("owner"), app=url("app"), worker=url("worker")
    )


def with_user(url: str, user: str, password: str, database: str) -> str:
    """The same server and options, another user and database."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{user}:{quote(password, safe='')}@{host}"
    return urlunsplit((parts.scheme, netloc, f"/{database}", parts.query, ""))


def with_database(url: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def create_all(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Create what is missing of every role and database."""
    async with connected(superuser_url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        for database in DATABASES:
            await create_roles(connection, database, passwords)
            await create_database(connection, superuser_url, database)


async def create_roles(
    connection: asyncpg.Connection, database: ServiceDatabase, passwords: Mapping[str, str]
) -> None:
    """Create the service's three roles, or set their passwords."""
    for kind in ROLES:
        role = database.role(kind)
        exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
        # Roles cannot be created with parameters; quote_literal makes the password one.
        password = await connection.fetchval("SELECT quote_literal($1::text)", passwords[role])
        await connection.execute(
            f"{'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB "
            f"NOCREATEROLE NOBYPASSRLS NOREPLICATION PASSWORD {password}"
        )


async def create_database(
    connection: asyncpg.Connection,
    superuser_url: str,
    database: ServiceDatabase,
    *,
    name: str | None = None,
) -> None:
    """Create the service's database with its extensions, unless it is there."""
    name = name or database.name
    exists = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    if not exists:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
        )
    await let_in(connection, database, name)
    async with connected(with_database(superuser_url, name)) as inside:
        for extension in database.extensions:
            await inside.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        await inside.execute(f"ALTER SCHEMA public OWNER TO {database.role('owner')}")
        await inside.execute(f"GRANT USAGE ON SCHEMA public TO {_others(database)}")


async def let_in(connection: asyncpg.Connection, database: ServiceDatabase, name: str) -> None:
    """Give a database to its owner, and let in the service's other roles and nobody else."""
    await connection.execute(f"ALTER DATABASE {name} OWNER TO {database.role('owner')}")
    await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    # Temporary: hot statements stand in functions of the session that uses them.
    others = _others(database)
    await connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {others}")


def _others(database: ServiceDatabase) -> str:
    return ", ".join(database.role(kind) for kind in ROLES if kind != "owner")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for the length of a block."""
    connection: asyncpg.Connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


def passwords_from_environment() -> dict[str, str]:
    """Each role's password, as compose hands them over; names what is missing."""
    environment = process_environment()
    wanted = {
        database.role(kind): f"{database.role(kind).upper()}_PASSWORD"
        for database in DATABASES
        for kind in ROLES
    }
    missing = [variable for variable in wanted.values() if not environment.get(variable)]
    if missing:
        sys.exit(f"set {', '.join(missing)}")
    return {role: environment[variable] for role, variable in wanted.items()}


def main() -> None:
    """Create everything at INBOX_SUITE_DATABASE_URL."""
    url = suite_settings().database_url
    if url is None:
        sys.exit("set INBOX_SUITE_DATABASE_URL to a superuser's address")
    asyncio.run(create_all(url, passwords_from_environment()))
    print(f"{len(DATABASES)} databases are ready: " + ", ".join(d.name for d in DATABASES))


if __name__ == "__main__":
    main()
