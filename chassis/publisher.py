"""Copies the log into its stream, each event at the sequence equal to its position.

Writing is fenced (`chassis.fence`), so nothing else is remembered: after any doubt the stream
itself says how far it is, and a stream that was lost is made again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from chassis import metrics, sequencer
from chassis.bus import Bus, BusUnavailable
from chassis.database import Database, DatabaseUnavailable
from chassis.events import Event
from chassis.fence import Doubt, FencedWriter, NotOurStream
from chassis.logs import log
from chassis.sequencer import MAX_BATCH_BYTES, LogStand
from chassis.stream import EventStream, StreamRefused
from chassis.tasks import pause_after

MAX_BATCH = 500
MAX_BUFFERED = 2_000
MAX_BUFFERED_BYTES = 8 * 2**20
GATHER = timedelta(milliseconds=40)
"""Between two publishes, each of which NATS flushes to its disk. Nobody waits for the stream:
hints are faster, and what they leave out is looked for after a longer while than this."""
LOOK_EVERY = timedelta(seconds=1)
"""How often an idle stream is looked at, to notice that it was wiped."""
LONGEST_PAUSE = timedelta(seconds=1)
ALARM_AFTER = 10
"""Failures at one position before readiness names it."""


class Publisher:
    """Copies one log into one stream."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        stream: EventStream,
        writer: FencedWriter | None = None,
    ) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._bus = bus
        self._stream = stream
        self._writer = writer or FencedWriter(bus)
        self._buffer: deque[Event] = deque()
        self._buffered_bytes = 0
        self._news = asyncio.Event()
        self._newest_gpos = 0
        self._tried_gpos = 0
        self._failures = 0
        self._refusal: str | None = None
        self._stuck: str | None = None
        self.published_gpos: int | None = None
        """How far the stream is; None while that is in doubt."""

    @property
    def refusal(self) -> str | None:
        """Why this stream cannot be this log's; None when it can."""
        return self._refusal

    @property
    def trouble(self) -> str | None:
        """What a person has to look at; None when all is well."""
        return self._refusal or self._stuck

    def offer(self, events: Sequence[Event]) -> None:
        """Take events fresh from the sequencer; what does not fit is read again later."""
        for event in events:
            if len(self._buffer) >= MAX_BUFFERED or self._buffered_bytes >= MAX_BUFFERED_BYTES:
                break
            if self._buffer and self._buffer[-1].gpos + 1 != event.gpos:
                break
            self._buffer.append(event)
            self._buffered_bytes += len(event.payload)
        if events:
            self.note_newest(events[-1].gpos)

    def note_newest(self, gpos: int) -> None:
        """The log reaches this far, whoever numbered it."""
        if gpos > self._newest_gpos:
            self._newest_gpos = gpos
            self._news.set()

    async def run(self) -> None:
        """Copy for ever."""
        failures = 0
        while True:
            try:
                await self._bus.wait_connected()
                last, epoch = await self._find_place()
                while True:
                    last = await self._copy_some(last, epoch)
                    failures = 0
            except (Doubt, BusUnavailable, DatabaseUnavailable) as error:
                failures += 1
                self._note_failure(error)
            except (NotOurStream, StreamRefused) as error:
                failures += 1
                if self._refusal is None:
                    log.error("stream_refused", stream=self._stream.name, detail=str(error))
                self._refusal = str(error)
            self.published_gpos = None
            pause = pause_after(failures, first=timedelta(milliseconds=20), longest=LONGEST_PAUSE)
            await asyncio.sleep(pause.total_seconds())

    async def _find_place(self) -> tuple[int, str]:
        """Where the stream ends and which log it is; makes it when there is none."""
        self._buffer.clear()
        self._buffered_bytes = 0
        self._newest_gpos = 0
        state = await self._stream.state()
        # The log is read after the stream, so a stream ahead of it cannot be a race.
        stand = await self._stand()
        if state is None or state.last_seq + 1 < stand.first_gpos:
            if state is not None:
                # An old copy came back: what lies between its end and our oldest event is gone
                # from both, so the stream could never go on. Consumers behind it rebuild anyway.
                log.warning("stream_too_old", stream=self._stream.name, last_seq=state.last_seq)
                _check_epoch(self._stream.name, state.log_epoch, stand)
                await self._stream.delete()
            state = await self._stream.create(log_epoch=stand.log_epoch, first_seq=stand.first_gpos)
            log.info("stream_made", stream=self._stream.name, first_seq=stand.first_gpos)
        _check_epoch(self._stream.name, state.log_epoch, stand)
        if not state.has_atomic_batches:
            raise NotOurStream(f"{self._stream.name} does not allow atomic batches")
        if state.last_seq > stand.last_gpos:
            raise NotOurStream(
                f"{self._stream.name} ends at {state.last_seq}, but the newest event of the "
                f"database is {stand.last_gpos}: the database was restored without a new epoch; "
                f"run `python -m chassis.new_epoch`"
            )
        self.note_newest(stand.last_gpos)
        self.published_gpos = state.last_seq
        self._refusal = None
        return state.last_seq, stand.log_epoch

    async def _copy_some(self, last: int, epoch: str) -> int:
        """Publish what follows `last`, or wait for it; returns the stream's new end."""
        events = await self._after(last)
        if not events:
            return await self._wait(last, epoch)
        if events[0].epoch != epoch:
            raise Doubt("the log began another life")
        if events[0].gpos != self._tried_gpos:
            self._tried_gpos, self._failures = events[0].gpos, 0
        last = await self._writer.write(events)
        self.published_gpos, self._stuck = last, None
        metrics.RELAY_PUBLISHED.labels(self._stream.name).inc(len(events))
        metrics.RELAY_STUCK.labels(self._stream.name).set(0)
        if len(events) < MAX_BATCH:
            await asyncio.sleep(GATHER.total_seconds())
        return last

    async def _after(self, last: int) -> list[Event]:
        """The events after `last`, as many as one publish takes."""
        while self._buffer and self._buffer[0].gpos <= last:
            self._buffered_bytes -= len(self._buffer.popleft().payload)
        if not self._buffer or self._buffer[0].gpos != last + 1:
            if self._newest_gpos <= last:
                return []
            async with self._database.begin() as transaction:
                events = await sequencer.read(transaction.raw, last + 1, count=MAX_BATCH)
            if not events:
                raise Doubt(f"gpos {last + 1} is not in the log")
            return events
        events, size = [], 0
        for event in self._buffer:
            size += len(event.payload)
            if events and (len(events) == MAX_BATCH or size > MAX_BATCH_BYTES):
                break
            events.append(event)
        return events

    async def _wait(self, last: int, epoch: str) -> int:
        """Wait for news; look at the stream now and then, which may have been wiped meanwhile."""
        self._news.clear()
        if self._newest_gpos > last:
            return last
        try:
            async with asyncio.timeout(LOOK_EVERY.total_seconds()):
                await self._news.wait()
        except TimeoutError:
            state, stand = await self._stream.state(), await self._stand()
            if state is None or (state.last_seq, state.log_epoch) != (last, epoch):
                raise Doubt("the stream is not as it was left") from None
            if stand.log_epoch != epoch:
                raise Doubt("the log began another life") from None
            self.note_newest(stand.last_gpos)
        return last

    async def _stand(self) -> LogStand:
        async with self._database.begin() as transaction:
            return await sequencer.stand(transaction.raw)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        metrics.RELAY_FAILURES.labels(self._stream.name).inc()
        if self._failures >= ALARM_AFTER and self._newest_gpos >= self._tried_gpos > 0:
            metrics.RELAY_STUCK.labels(self._stream.name).set(1)
            if self._stuck is None:
                log.error("relay_stuck", stream=self._stream.name, gpos=self._tried_gpos)
            self._stuck = f"gpos {self._tried_gpos} was not taken {self._failures} times: {error}"


def _check_epoch(stream: str, log_epoch: str, stand: LogStand) -> None:
    if log_epoch != stand.log_epoch:
        raise NotOurStream(
            f"{stream} belongs to the log epoch {log_epoch or '(none)'}, the database to "
            f"{stand.log_epoch}: if the database was restored, run "
            f"`python -m chassis.new_epoch`"
        )
