"""Reading without a transaction: one round trip a statement, with row security in force.

A transaction around one `SELECT` costs two more round trips than the `SELECT`. Connections of this
kind have none: each stands in a workspace, by the setting that row security asks for, and is moved
only when a reader of another workspace needs it. As in a transaction of `Database.begin`, each
statement sees what was committed when it began. The session is read only, so nothing is written
here by mistake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import asyncpg
import orjson

from chassis.database_faults import DatabaseUnavailable, cause_of, fault_of
from chassis.errors import Fault
from chassis.ids import WorkspaceId
from chassis.row_security import stand_statement, standing_setting

RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
READ_ONLY = {"default_transaction_read_only": "on"}
"""Settings of such a session."""


@dataclass(slots=True)
class Reading:
    """A connection that reads for one workspace; `Transaction` is one that also writes."""

    raw: RawConnection
    """For hot statements."""
    workspace_id: WorkspaceId | None


class Places:
    """So many may be in at once; the others wait, within bounds."""

    def __init__(self, count: int, within: timedelta) -> None:
        self._free = asyncio.Semaphore(count)
        self._within = within

    async def take(self) -> None:
        """Raises: DatabaseUnavailable, when none gets free in time."""
        if not self._free.locked():
            # It does not wait then, and a deadline would cost more than the place.
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                await self._free.acquire()
        except TimeoutError as late:
            raise DatabaseUnavailable from late

    def give_back(self) -> None:
        """Let the next one in."""
        self._free.release()


@dataclass(slots=True)
class _Standing:
    """A connection and the workspace its session shows."""

    raw: RawConnection
    setting: str = ""


class Readers:
    """One role's reading connections, opened when they are needed."""

    def __init__(
        self, connect: Callable[[], Awaitable[RawConnection]], *, size: int, within: timedelta
    ) -> None:
        self._connect = connect
        self._places = Places(size, within)
        self._idle: list[_Standing] = []

    @asynccontextmanager
    async def read(self, workspace_id: WorkspaceId | None) -> AsyncIterator[Reading]:
        """Statements one after the other. Raises: DatabaseUnavailable."""
        setting = standing_setting(workspace_id)
        await self._places.take()
        try:
            standing = self._pick(setting) or _Standing(await self._open())
            try:
                if standing.setting != setting:
                    await standing.raw.execute(stand_statement(setting))
                    standing.setting = setting
                yield Reading(standing.raw, workspace_id)
            except BaseException as error:
                was_closed = standing.raw.is_closed()
                if not isinstance(error, (Fault, asyncpg.PostgresError)):
                    # Cancelled, stuck or gone: only a fresh connection is certain to be clean.
                    standing.raw.terminate()
                _raise_fault_of(error, was_closed=was_closed)
                raise
            finally:
                if not standing.raw.is_closed():
                    self._idle.append(standing)
        finally:
            self._places.give_back()

    async def _open(self) -> RawConnection:
        raw = await self._connect()
        try:
            await read_json(raw)
        except BaseException as error:
            raw.terminate()
            _raise_fault_of(error, was_closed=True)
            raise
        return raw

    async def close(self) -> None:
        """End every connection."""
        while self._idle:
            self._idle.pop().raw.terminate()

    def _pick(self, setting: str) -> _Standing | None:
        """One that stands there already, else the one used longest ago."""
        # After a restart of the server every one of them may be dead.
        self._idle = [standing for standing in self._idle if not standing.raw.is_closed()]
        for place in reversed(range(len(self._idle))):
            if self._idle[place].setting == setting:
                return self._idle.pop(place)
        return self._idle.pop(0) if self._idle else None


async def read_json(raw: RawConnection) -> None:
    """Give columns of JSON as what they say, as SQLAlchemy's connections do."""
    for kind in ("json", "jsonb"):
        await raw.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=orjson.loads)


def _raise_fault_of(error: BaseException, *, was_closed: bool) -> None:
    if not isinstance(error, Exception):
        return
    if isinstance(cause_of(error), asyncpg.ReadOnlySQLTransactionError):
        return  # a write where one reads is a fault of ours, not a database that fails over
    fault = fault_of(error, was_closed=was_closed)
    if fault is not None:
        raise fault from error
