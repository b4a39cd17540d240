"""PostgreSQL: one pool per role, and `begin()`, the unit of work with row security.

A transaction is opened by one message, `BEGIN; SET LOCAL inbox.workspace = …`, so row security
costs nothing measurable. SQLAlchemy's connection stands in autocommit inside it, which lets Core
statements (cold paths) and prepared asyncpg statements (hot paths) share one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

import asyncpg
from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId

CONNECT_WITHIN = timedelta(seconds=5)
STATEMENT_WITHIN = timedelta(seconds=15)
ROLLBACK_WITHIN = timedelta(seconds=2)
TRIES_TO_BEGIN = 3

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    exc.InterfaceError,
    exc.TimeoutError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""What a lost, refused or exhausted database looks like from here."""


@dataclass(eq=False)
class DatabaseUnavailable(TemporarilyUnavailable):
    """PostgreSQL is away. Whether a commit under way happened is unknown: repeat the request."""

    part: str = "the database"


@dataclass(slots=True)
class Transaction:
    """One open transaction."""

    sql: AsyncConnection
    """For SQLAlchemy Core statements."""
    raw: asyncpg.Connection[asyncpg.Record]
    """For hot statements."""
    workspace_id: WorkspaceId | None
    _after_commit: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something quick and infallible after the commit: a wake-up, never an effect."""
        self._after_commit.append(call)


class Database:
    """One role's pool on one database."""

    def __init__(self, url: str, *, pool_size: int = 8, application_name: str = "inbox") -> None:
        """`url` is `postgresql://role:password@host:port/database`."""
        self._engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_WITHIN.total_seconds(),
            # A rollback of ours has always run before a connection comes back.
            pool_reset_on_return=None,
            connect_args={
                "timeout": CONNECT_WITHIN.total_seconds(),
                "command_timeout": STATEMENT_WITHIN.total_seconds(),
                "server_settings": {"application_name": application_name, "timezone": "UTC"},
            },
        )

    @asynccontextmanager
    async def begin(self, workspace_id: WorkspaceId | None = None) -> AsyncIterator[Transaction]:
        """A transaction that commits on leaving, or nothing happened.

        With a workspace, row security shows that workspace's rows; without, none of them, only
        the routing tables that the worker role may read.
        Raises: DatabaseUnavailable.
        """
        try:
            connection, raw = await self._open(workspace_id)
        except AWAY as away:
            raise DatabaseUnavailable from away
        transaction = Transaction(connection, raw, workspace_id)
        try:
            try:
                yield transaction
            except BaseException:
                await _roll_back(connection, raw)
                raise
            try:
                await raw.execute("COMMIT")
            except BaseException:
                await _roll_back(connection, raw)
                raise
        except AWAY as away:
            raise DatabaseUnavailable from away
        except exc.DBAPIError as error:
            if error.connection_invalidated or isinstance(_cause(error), AWAY):
                raise DatabaseUnavailable from error
            raise
        finally:
            await asyncio.shield(connection.close())
        for call in transaction._after_commit:  # noqa: SLF001 - its own other half
            call()

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection outside the pool, for advisory locks and hot writers. Close it yourself."""
        url = self._engine.url.set(drivername="postgresql")
        try:
            connection = await asyncpg.connect(
                url.render_as_string(hide_password=False),
                timeout=CONNECT_WITHIN.total_seconds(),
                command_timeout=STATEMENT_WITHIN.total_seconds(),
                server_settings={"timezone": "UTC"},
            )
        except AWAY as away:
            raise DatabaseUnavailable from away
        return connection

    async def close(self) -> None:
        """End every connection of the pool."""
        await self._engine.dispose()

    async def _open(
        self, workspace_id: WorkspaceId | None
    ) -> tuple[AsyncConnection, asyncpg.Connection[asyncpg.Record]]:
        begin = begin_statement(workspace_id)
        for tries_left in reversed(range(TRIES_TO_BEGIN)):
            connection = await self._engine.connect()
            raw = await _raw(connection)
            try:
                await raw.execute(begin)
            except BaseException as error:
                # The pool may hold connections of a server that was restarted; nothing ran yet.
                await connection.invalidate()
                await connection.close()
                if not isinstance(error, AWAY) or tries_left == 0:
                    raise
            else:
                return connection, raw
        raise DatabaseUnavailable


def begin_statement(workspace_id: WorkspaceId | None) -> str:
    """The one message that opens a transaction for a workspace."""
    if workspace_id is None:
        return "BEGIN"
    # UUID() refuses everything that is not one, so nothing can be smuggled in.
    return f"BEGIN; SET LOCAL inbox.workspace = '{UUID(workspace_id)}'"


async def _raw(connection: AsyncConnection) -> asyncpg.Connection[asyncpg.Record]:
    pooled = await connection.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", pooled.driver_connection)


async def _roll_back(connection: AsyncConnection, raw: asyncpg.Connection[asyncpg.Record]) -> None:
    try:
        await asyncio.shield(raw.execute("ROLLBACK", timeout=ROLLBACK_WITHIN.total_seconds()))
    except (*AWAY, asyncpg.PostgresError, asyncio.CancelledError):
        await asyncio.shield(connection.invalidate())


def _cause(error: exc.DBAPIError) -> BaseException | None:
    original = error.orig
    return original.__cause__ if original is not None else None
