"""What a database's failures mean to a caller: come again, or a fault of our own."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import asyncpg
from sqlalchemy import exc

from chassis.errors import Fault, TemporarilyUnavailable

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InternalClientError,
    exc.TimeoutError,
)
"""A database that is lost, refused, exhausted, failing over or just migrated; nothing else is."""
MAYBE_AWAY = (asyncpg.InterfaceError, exc.InterfaceError, OSError)
"""The same, if the connection is closed or the driver raised it. OSError includes TimeoutError."""
COLLISIONS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@dataclass(eq=False)
class DatabaseUnavailable(TemporarilyUnavailable):
    """PostgreSQL is away. Whether a commit under way happened is unknown: repeat the request."""

    part: str = "the database"


@dataclass(eq=False)
class TransactionCollided(TemporarilyUnavailable):
    """Two transactions waited for each other and this one was ended: nothing of it happened."""

    part: str = "the database"


class TransactionLost(Exception):
    """A statement failed, its error was caught, and the transaction was left as if all were well.

    PostgreSQL answers that COMMIT by rolling back; without this the caller would believe it.
    """


def fault_of(error: Exception, *, was_closed: bool) -> Fault | None:
    """What to raise instead, when the error is the database's doing; else None."""
    cause = cause_of(error)
    if isinstance(cause, COLLISIONS):
        return TransactionCollided()
    if isinstance(cause, AWAY):
        return DatabaseUnavailable()
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return DatabaseUnavailable()
    if isinstance(cause, asyncpg.InterfaceError):
        # Also raised for misuse, such as two statements at once: that is a fault of ours.
        return DatabaseUnavailable() if was_closed else None
    # A file or another service may fail inside the block with the same types.
    if isinstance(cause, OSError) and _passed_through_driver(cause):
        return DatabaseUnavailable()
    return None


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error below SQLAlchemy's."""
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def _passed_through_driver(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("asyncpg.") for frame, _ in frames)
