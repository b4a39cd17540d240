"""Erasing events: what they said is overwritten in the log and deleted from the stream.

An erased event keeps its place: position, id and time stay, its subject becomes `event_erased` and
its payload empty. The log therefore stays dense, and whoever reads, replays or rebuilds passes over
the place as over any event that concerns nobody. JetStream cannot overwrite a message, so there it
is deleted, byte for byte; the hole that is left is filled from the log like every other.

    async with worker.begin(workspace_id) as transaction:
        …                                               # the entities themselves
        await erasing.erase_events(transaction, [conversation_id])
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chassis import metrics
from chassis.bus import Bus, BusUnavailable
from chassis.clock import Clock, SystemClock
from chassis.database import Database, Transaction
from chassis.logs import log
from chassis.sequencer import LogStand, stand
from chassis.stream import EventStream, StreamRefused

ERASED = "event_erased"
"""Stands in the subject for the name of an event whose contents were erased."""
MAX_BATCH = 200
LOOK_EVERY = timedelta(seconds=1)

# The name is the last but one part of a subject. Those that were numbered before are final: to
# look through them needs no lock. Those that wait, or are numbered meanwhile, are few.
OVERWRITE = """
UPDATE {table} SET payload = '', traceparent = '',
    subject = regexp_replace(subject, '[^.]+(\\.[^.]+)$', '{erased}\\1')
WHERE workspace_id = $1 AND ordering_key = ANY($2) AND payload <> ''
"""
OVERWRITE_LOGGED = f"""
WITH erased AS (
    {OVERWRITE.format(table="events", erased=ERASED)} AND gpos > $3 AND gpos <= $4
    RETURNING gpos, workspace_id, ordering_key
)
INSERT INTO erased_events (gpos, workspace_id, ordering_key) SELECT * FROM erased
ON CONFLICT DO NOTHING
"""
OVERWRITE_WAITING = OVERWRITE.format(table="outbox", erased=ERASED)
NEWEST = 2**62
WAITING = """
SELECT EXISTS (SELECT FROM outbox WHERE workspace_id = $1 AND ordering_key = ANY($2))
    OR EXISTS (SELECT FROM erased_events WHERE workspace_id = $1 AND ordering_key = ANY($2))
"""
LEFT = "SELECT gpos FROM erased_events WHERE gpos > $1 ORDER BY gpos LIMIT $2"
DONE = "DELETE FROM erased_events WHERE gpos = ANY($1)"


async def erase_events(transaction: Transaction, ordering_keys: Sequence[str]) -> None:
    """Take away what the events of some keys said, in the worker's transaction; a repeat is none.

    What the same transaction tells of those keys has to be told afterwards. No event of a key may
    come into being meanwhile that is not to be erased: hold the lock of what they are about.
    """
    keys = list(ordering_keys)
    known = await stand(transaction.raw)
    workspace_id = transaction.workspace_id
    await transaction.raw.execute(OVERWRITE_LOGGED, workspace_id, keys, 0, known.last_gpos)
    # From here to the commit nothing is numbered, so nothing slips through between the two.
    await transaction.raw.execute("SELECT FROM log_state FOR UPDATE")
    await transaction.raw.execute(OVERWRITE_WAITING, workspace_id, keys)
    await transaction.raw.execute(OVERWRITE_LOGGED, workspace_id, keys, known.last_gpos, NEWEST)


async def position_after(transaction: Transaction, ordering_keys: Sequence[str]) -> LogStand | None:
    """How the log stands once everything of some keys is numbered and erased from the stream.

    None while some of it is not.
    """
    if await transaction.raw.fetchval(WAITING, transaction.workspace_id, list(ordering_keys)):
        return None
    return await stand(transaction.raw)


class StreamEraser:
    """Deletes from the stream what was erased in the log; any number may run."""

    def __init__(
        self, database: Database, bus: Bus, stream: str, *, clock: Clock | None = None
    ) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._stream = EventStream(bus, stream)
        self._clock = clock or SystemClock()

    async def run(self) -> None:
        """Delete for ever; a supervisor calls it again."""
        while True:
            await self.step()
            await self._clock.sleep(LOOK_EVERY)

    async def step(self) -> int:
        """Delete what can be deleted now; how many. What NATS does not take stays to be done."""
        count, after = 0, 0
        while True:
            async with self._database.begin() as transaction:
                rows = await transaction.raw.fetch(LEFT, after, MAX_BATCH)
            if not rows:
                return count
            after = rows[-1]["gpos"]
            try:
                done = await self._delete([row["gpos"] for row in rows])
            except (BusUnavailable, StreamRefused) as refused:
                log.warning("stream_not_erased", stream=self._stream.name, detail=str(refused))
                return count
            async with self._database.begin() as transaction:
                await transaction.raw.execute(DONE, done)
            metrics.EVENTS_ERASED.labels(self._stream.name).inc(len(done))
            count += len(done)

    async def _delete(self, positions: Sequence[int]) -> list[int]:
        """Those that are gone. Raises: BusUnavailable, StreamRefused."""
        state = await self._stream.state()
        # The relay may still hold in memory, unerased, what it has not published yet. Once it
        # stands in the stream it is published never again, except from the log.
        there = [gpos for gpos in positions if state is not None and gpos <= state.last_seq]
        for gpos in there:
            await self._stream.erase(gpos)
        return there
