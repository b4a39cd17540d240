"""A stream's events in order and without a hole, as early as they can be had.

Three sources, each repairing the one before it:
* live hints, sent the moment an event is final; most events come this way. One is taken if it is
  the next; a repeat is dropped; one further ahead is kept, and shows that something is missing;
* the stream itself, asked for "everything from here on" whenever something is missing, and a few
  times a second while it is quiet, because nobody announces that the newest hint was lost;
* the owner's database, if the stream does not have it.
Nothing is remembered on NATS, so a wiped store or a restart has nothing to break.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Self

from chassis import hints
from chassis.bus import Bus, BusUnavailable, Subscription
from chassis.clock import Clock, SystemClock
from chassis.events import Event, NotAnEvent
from chassis.owners_log import LogExpired, OwnersLog, OwnerUnavailable
from chassis.stream import EventStream, StreamRefused
from chassis.tasks import pause_after

MAX_WAITING = 2_048
"""Events kept for a reader that is busy, and hints kept behind a hole; more are read again."""
QUIET_POLL = timedelta(milliseconds=250)
LOOK_EVERY = timedelta(seconds=5)
"""How often a quiet feed makes sure that its log is still the same one."""
STREAM_GRACE = timedelta(milliseconds=300)
"""How long a hole waits for the stream, which stores an event some milliseconds after its hint."""
FIRST_PAUSE = timedelta(milliseconds=5)
LONGEST_PAUSE = timedelta(milliseconds=250)


class AnotherLog(Exception):
    """The positions read so far belong to another life of the log: start from a snapshot."""


class Feed:
    """Reads one stream from a position on, for one reader.

    async with Feed(bus, "INBOX_MESSAGING", owner, log_epoch=epoch, gpos=cursor) as feed:
        events = await feed.next()
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        owner: OwnersLog,
        *,
        log_epoch: str,
        gpos: int,
        clock: Clock | None = None,
    ) -> None:
        """Reads what follows `gpos` in the life `log_epoch` of the log."""
        self._bus = bus
        self._owner = owner
        self._stream = EventStream(bus, stream)
        self._clock = clock or SystemClock()
        self._log_epoch = log_epoch
        self._next_gpos = gpos + 1
        self._ready: list[Event] = []
        self._ahead: dict[int, Event] = {}
        self._has_foreign = False
        self._news = asyncio.Event()  # for the reader: events are ready, or reading failed
        self._work = asyncio.Event()  # for the filler: something is missing, or there is room
        self._failure: Exception | None = None
        self._looked_at = self._clock.monotonic()
        self._missing_since: float | None = None
        self._misses = 0
        self._stream_end = 0  # as it was last looked at
        self._hints: Subscription | None = None
        self._group = asyncio.TaskGroup()
        self._filler: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen before the first read, so that nothing falls between."""
        told_at = hints.subject_of(self._stream.domain)
        self._hints = await self._bus.subscribe(told_at, hints.reader(self._take_hint))
        await self._group.__aenter__()
        self._filler = self._group.create_task(self._keep_full())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._filler is not None:
            self._filler.cancel()
        await self._group.__aexit__(None, None, None)
        if self._hints is not None:
            await self._bus.unsubscribe(self._hints)

    async def next(self) -> list[Event]:
        """Wait for the next events, in order, none left out.

        Raises: LogExpired, AnotherLog.
        """
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            await self._news.wait()
        if self._is_full():
            self._work.set()
        events, self._ready = self._ready, []
        return events

    def _take_hint(self, event: Event) -> None:
        if event.epoch != self._log_epoch:
            self._has_foreign = True
            self._work.set()
        elif event.gpos == self._next_gpos:
            self._accept(event)
        elif event.gpos > self._next_gpos and len(self._ahead) < MAX_WAITING:
            self._ahead[event.gpos] = event
            self._work.set()

    def _accept(self, event: Event) -> None:
        """Take the next event and what was waiting behind it, as far as there is room."""
        following: Event | None = event
        while following is not None and not self._is_full():
            self._ready.append(following)
            self._ahead.pop(self._next_gpos, None)
            self._next_gpos += 1
            following = self._ahead.get(self._next_gpos)
        self._missing_since, self._misses = None, 0
        self._news.set()

    async def _keep_full(self) -> None:
        """Fill holes, and look for what no hint announced, until reading is hopeless."""
        try:
            while True:
                if self._has_foreign or self._is_time_to_look():
                    await self._look()
                while await self._read_some():
                    pass
                if self._is_full():
                    self._work.clear()
                    await self._work.wait()
                elif self._ahead:
                    await self._wait_for_stream()
                elif self._stream_end >= self._next_gpos:
                    await self._ask_owner()  # the newest events were erased from the stream
                else:
                    await self._rest()
        except (LogExpired, AnotherLog) as hopeless:
            self._failure = hopeless
            self._news.set()

    async def _rest(self) -> None:
        """Until something is missing, or nothing at all was read for a while."""
        while not (self._ahead or self._has_foreign):
            before = self._next_gpos
            self._work.clear()
            try:
                async with asyncio.timeout(QUIET_POLL.total_seconds()):
                    await self._work.wait()
            except TimeoutError:
                if self._next_gpos == before:
                    return

    def _is_full(self) -> bool:
        return len(self._ready) >= MAX_WAITING

    async def _read_some(self) -> bool:
        """Take what the stream has; whether that was something."""
        wanted = self._next_gpos
        try:
            found = await self._stream.read(wanted)
        except BusUnavailable:
            if self._bus.is_connected:
                return False
            await self._bus.wait_connected()
            return True
        except NotAnEvent:
            found = []
            await self._ask_owner()
        self._take_read(found)
        if found and found[0].gpos > wanted == self._next_gpos:
            # The stream begins later, or the event was erased from it: it will never have it.
            await self._ask_owner()
        return self._next_gpos > wanted

    def _take_read(self, events: list[Event]) -> None:
        for event in events:
            if event.epoch != self._log_epoch:
                self._has_foreign = True
                return
            if event.gpos == self._next_gpos:
                self._accept(event)

    async def _wait_for_stream(self) -> None:
        """Something is missing that the stream should have in a moment; ask the owner if not."""
        now = self._clock.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        wanted = self._next_gpos
        if now - self._missing_since >= STREAM_GRACE.total_seconds():
            await self._ask_owner()
        if self._next_gpos == wanted:
            await self._pause()

    def _is_time_to_look(self) -> bool:
        return self._clock.monotonic() - self._looked_at >= LOOK_EVERY.total_seconds()

    async def _look(self) -> None:
        """Make sure that the stream still continues what was read; else its owner has to say."""
        self._looked_at = self._clock.monotonic()
        try:
            state = await self._stream.state()
        except (BusUnavailable, StreamRefused):
            state = None
        self._stream_end = 0 if state is None else state.last_seq
        if (
            self._has_foreign
            or state is None
            or state.log_epoch != self._log_epoch
            or state.last_seq < self._next_gpos - 1
        ):
            await self._ask_owner()

    async def _ask_owner(self) -> None:
        """Raises: LogExpired, AnotherLog."""
        wanted, hinted = self._next_gpos, list(self._ahead)
        try:
            answer = await self._owner.read(wanted)
        except OwnerUnavailable:
            await self._pause()
            return
        if answer.log_epoch != self._log_epoch or answer.last_gpos < wanted - 1:
            raise AnotherLog
        self._has_foreign = False
        for gpos in (gpos for gpos in hinted if gpos > answer.last_gpos):
            # No event of this log: it was told before it was lost, or by somebody else.
            self._ahead.pop(gpos, None)
        self._take_read(list(answer.events))

    async def _pause(self) -> None:
        self._misses += 1
        pause = pause_after(self._misses, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
        await asyncio.sleep(pause.total_seconds())
