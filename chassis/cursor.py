"""How far a consumer has applied a stream: a row that commits together with the effects.

Each transaction of a consumer begins by locking the row and comparing it with what its reader
believes. A reader that lost its turn, or was overtaken, therefore changes nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from chassis.database import Database, Transaction

POLL = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The newest position applied, and in which life of the log."""

    log_epoch: str
    gpos: int


class CursorMoved(Exception):
    """Another reader was here: what is in hand may be applied already. Start from the row."""


async def load(transaction: Transaction, consumer: str) -> Cursor | None:
    """Where the consumer stands, locked until the transaction ends; None for a new one."""
    row = await transaction.raw.fetchrow(
        "SELECT log_epoch, gpos FROM consumer_cursors WHERE consumer = $1 FOR UPDATE", consumer
    )
    return Cursor(row["log_epoch"], row["gpos"]) if row is not None else None


async def reach(
    database: Database, consumer: str, log_epoch: str, gpos: int, *, within: timedelta
) -> bool:
    """Wait until a consumer has applied a position, also in another replica; False if not in time.

    A position of another life of the log is not waited for: nobody will get there.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            while True:
                async with database.begin() as transaction:
                    row = await transaction.raw.fetchrow(
                        "SELECT log_epoch, gpos FROM consumer_cursors WHERE consumer = $1", consumer
                    )
                if row is not None and (row["log_epoch"] != log_epoch or row["gpos"] >= gpos):
                    return True
                await asyncio.sleep(POLL.total_seconds())
    except TimeoutError:
        return False


async def claim(transaction: Transaction, consumer: str, expected: Cursor) -> None:
    """Lock the cursor, which must stand where the reader believes. Raises: CursorMoved."""
    if await load(transaction, consumer) != expected:
        raise CursorMoved


async def move(transaction: Transaction, consumer: str, gpos: int) -> None:
    """Move a claimed cursor on."""
    await transaction.raw.execute(
        "UPDATE consumer_cursors SET gpos = $2 WHERE consumer = $1", consumer, gpos
    )


async def replace(
    transaction: Transaction, consumer: str, stream: str, *, before: Cursor | None, after: Cursor
) -> None:
    """Put the cursor somewhere else after a rebuild, unless another reader did meanwhile.

    Raises: CursorMoved.
    """
    if before is None:
        done = await transaction.raw.execute(
            "INSERT INTO consumer_cursors (consumer, stream, log_epoch, gpos) "
            "VALUES ($1, $2, $3, $4) ON CONFLICT (consumer) DO NOTHING",
            consumer,
            stream,
            after.log_epoch,
            after.gpos,
        )
    else:
        done = await transaction.raw.execute(
            "UPDATE consumer_cursors SET stream = $2, log_epoch = $3, gpos = $4 "
            "WHERE consumer = $1 AND log_epoch = $5 AND gpos = $6",
            consumer,
            stream,
            after.log_epoch,
            after.gpos,
            before.log_epoch,
            before.gpos,
        )
    if not done.endswith(" 1"):
        raise CursorMoved
