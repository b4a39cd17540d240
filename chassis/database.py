"""PostgreSQL: one pool per role, and `begin()`, the unit of work with row security.

A transaction is opened by one message, `BEGIN; SET LOCAL inbox.workspace = …`, so row security
costs nothing measurable. SQLAlchemy's connection stands in autocommit inside it, which lets Core
statements (cold paths) and prepared asyncpg statements (hot paths) share one transaction.
What only reads needs no transaction: `read()`, see `chassis.reading`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import asyncpg
from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.database_faults import (
    AWAY,
    MAYBE_AWAY,
    DatabaseUnavailable,
    TransactionCollided,
    TransactionLost,
    cause_of,
    fault_of,
)
from chassis.ids import WorkspaceId
from chassis.reading import READ_ONLY, Places, RawConnection, Readers, Reading
from chassis.row_security import begin_statement, workspace_setting

__all__ = [
    "AWAY",
    "Database",
    "DatabaseUnavailable",
    "RawConnection",
    "Reading",
    "Transaction",
    "TransactionCollided",
    "TransactionLost",
]

CONNECT_WITHIN = timedelta(seconds=5)
STATEMENT_WITHIN = timedelta(seconds=15)
ROLLBACK_WITHIN = timedelta(seconds=2)
IDLE_WITHIN = timedelta(seconds=30)
"""A transaction whose program was stopped gives its locks back after this."""


@dataclass(slots=True)
class Transaction(Reading):
    """One open transaction."""

    sql: AsyncConnection
    """For SQLAlchemy Core statements."""
    _after_commit: list[Callable[[], None]] = field(default_factory=list)

    async def enter(self, workspace_id: WorkspaceId) -> None:
        """Go on in another workspace, in the same transaction: for loops that serve them all."""
        await self.raw.execute(f"SET LOCAL inbox.workspace = '{workspace_setting(workspace_id)}'")
        self.workspace_id = workspace_id

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
            # A rollback of ours has always run before a connection comes back.
            pool_reset_on_return=None,
            connect_args=self._connect_arguments(application_name),
        )
        self._pool_size = pool_size
        # The engine's own queue does not wake a waiter when somebody else's connecting fails or
        # is cancelled; with as many places as connections nobody ever waits there.
        self._places = Places(pool_size, CONNECT_WITHIN)
        self._application_name = application_name
        self._readers = Readers(
            lambda: self.connect(**READ_ONLY), size=max(1, pool_size // 2), within=CONNECT_WITHIN
        )

    @asynccontextmanager
    async def begin(
        self, workspace_id: WorkspaceId | None = None, *, is_flushed: bool = True
    ) -> AsyncIterator[Transaction]:
        """A transaction that commits on leaving, or nothing happened.

        With a workspace, row security shows that workspace's rows; without, only the routing
        tables that the worker role may read. After a statement's error only a savepoint helps.
        Not flushed, it may be lost when the database crashes, with all that came after it: for
        effects derived from a log and kept with their position.
        Raises: DatabaseUnavailable, TransactionCollided, TransactionLost.
        """
        begin = begin_statement(workspace_id, is_flushed=is_flushed)
        await self._places.take()
        try:
            async with self._transaction(workspace_id, begin) as transaction:
                yield transaction
        finally:
            self._places.give_back()
        for call in transaction._after_commit:  # noqa: SLF001 - its own other half
            call()

    def read(self, workspace_id: WorkspaceId | None = None) -> AbstractAsyncContextManager[Reading]:
        """Statements that only read, each by itself; what they see is as in `begin`.

        Raises: DatabaseUnavailable.
        """
        return self._readers.read(workspace_id)

    @asynccontextmanager
    async def _transaction(
        self, workspace_id: WorkspaceId | None, begin: str
    ) -> AsyncIterator[Transaction]:
        try:
            connection, raw = await self._open(begin)
        except Exception as error:
            fault = fault_of(error, was_closed=True)
            if fault is None:
                raise
            raise fault from error
        transaction = Transaction(raw, workspace_id, connection)
        was_closed = False
        try:
            try:
                yield transaction
                await _commit(raw)
            except BaseException:
                was_closed = raw.is_closed()
                await _roll_back(connection, raw)
                raise
        except Exception as error:
            fault = fault_of(error, was_closed=was_closed)
            if fault is None:
                raise
            raise fault from error
        finally:
            # Back to the pool: no input or output, so nothing here can be cancelled half-way.
            await connection.close()

    async def connect(self, **settings: str) -> RawConnection:
        """A connection outside the pools, for advisory locks and hot writers. Close it yourself."""
        url = self._engine.url.set(drivername="postgresql")
        try:
            connection = await asyncpg.connect(
                url.render_as_string(hide_password=False),
                **self._connect_arguments(self._application_name, **settings),
            )
        except (*AWAY, *MAYBE_AWAY) as away:
            raise DatabaseUnavailable from away
        return cast("RawConnection", connection)

    @staticmethod
    def _connect_arguments(application_name: str, **settings: str) -> dict[str, Any]:
        return {
            "timeout": CONNECT_WITHIN.total_seconds(),
            "command_timeout": STATEMENT_WITHIN.total_seconds(),
            "server_settings": {
                "application_name": application_name,
                "timezone": "UTC",
                # Compiling a plan costs more than any statement of ours runs.
                "jit": "off",
                "idle_in_transaction_session_timeout": f"{IDLE_WITHIN.total_seconds():.0f}s",
                **settings,
            },
        }

    async def close(self) -> None:
        """End every connection of the pools."""
        await self._readers.close()
        await self._engine.dispose()

    async def _open(self, begin: str) -> tuple[AsyncConnection, RawConnection]:
        # After a restart of the server every pooled connection may be dead: one more try than
        # there are reaches a fresh one. With the server down, connecting fails at once.
        for tries_left in reversed(range(self._pool_size + 1)):
            connection = await self._engine.connect()
            try:
                raw = await _raw(connection)
                await raw.execute(begin, timeout=CONNECT_WITHIN.total_seconds())
            except BaseException as error:
                await _finish(_discard(connection))
                if tries_left == 0 or not _was_dead(error):
                    raise
            else:
                return connection, raw
        raise DatabaseUnavailable


async def _raw(connection: AsyncConnection) -> RawConnection:
    pooled = await connection.get_raw_connection()
    return cast("RawConnection", pooled.driver_connection)


async def _commit(raw: RawConnection) -> None:
    if await raw.execute("COMMIT") != "COMMIT":
        raise TransactionLost


async def _roll_back(connection: AsyncConnection, raw: RawConnection) -> None:
    """Leave the connection fit for its next user, or end it."""
    try:
        await raw.execute("ROLLBACK", timeout=ROLLBACK_WITHIN.total_seconds())
    except BaseException as error:
        # Cancelled, stuck or gone: only a fresh connection is certain to be clean.
        await _finish(connection.invalidate())
        if not isinstance(error, (*AWAY, *MAYBE_AWAY, asyncpg.PostgresError)):
            raise


async def _discard(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a clean-up to its end also when the task is cancelled meanwhile, then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001 - taken from the task below
            break
    with contextlib.suppress(*AWAY, *MAYBE_AWAY, exc.SQLAlchemyError):
        task.result()
    if cancelled is not None:
        raise cancelled


def _was_dead(error: BaseException) -> bool:
    """The connection was dead before the message left; a time-out may be a stalled server."""
    cause = cause_of(error)
    return isinstance(cause, (*AWAY, *MAYBE_AWAY)) and not isinstance(cause, TimeoutError)
