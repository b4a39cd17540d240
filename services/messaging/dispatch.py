"""The dispatcher: leases lanes, calls platforms, writes down what came of it.

Any number of processes may run one. Wake-ups are a courtesy; a poll finds everything.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis import metrics
from chassis.clock import Clock
from chassis.database import Database, DatabaseUnavailable
from chassis.ids import new_id
from chassis.logs import log
from services.messaging.actions import dispatch as actions
from services.messaging.actions.attachments import Files, bring_to_platform
from services.messaging.actions.dispatch import Call, Desk, Ended, LookUps
from services.messaging.actions.vault import Vault
from services.messaging.channels.adapters import Adapters
from services.messaging.channels.port import Channel as PlatformChannel
from services.messaging.channels.port import FoundSend
from services.messaging.model.breaker import Breaker
from services.messaging.model.channel import Channel, ChannelId
from services.messaging.model.dispatch import (
    CALL_WITHIN,
    LEASE,
    LEASE_MARGIN,
    NotSent,
    SendOutcome,
)
from services.messaging.model.message import MessageId
from services.messaging.store import dispatch as store
from services.messaging.store.dispatch import LeasedLane

SLOTS = 32
"""Lanes that one process works on at the same time."""
POLL = timedelta(milliseconds=250)
SWEEP_EVERY = timedelta(seconds=1)
LOOKUP_WITHIN = timedelta(seconds=5)
SHORTEST_CALL = timedelta(seconds=1)
WRITE_AGAIN_AFTER = timedelta(milliseconds=200)
DRAIN_WITHIN = timedelta(seconds=3)
MAX_BREAKERS = 1_000
LEASE_TOO_SHORT = "LEASE_TOO_SHORT"

Hook = Callable[[str], Awaitable[None]]
"""Called between the steps of a lane; tests stop a worker there."""


async def _no_hook(_: str) -> None:
    """Nothing waits between the steps."""


@dataclass(frozen=True, slots=True)
class _Lease:
    lane: LeasedLane
    began: float
    """On the monotonic clock, before the lease was asked for: it cannot have begun earlier."""


class Dispatcher:
    """One worker. `run` owns its tasks."""

    def __init__(
        self,
        database: Database,
        adapters: Adapters,
        vault: Vault,
        clock: Clock,
        files: Files,
        *,
        wake_relay: Callable[[], None],
        lease_clock: Clock | None = None,
        slots: int = SLOTS,
        call_within: timedelta = CALL_WITHIN,
        hook: Hook = _no_hook,
    ) -> None:
        """`database` is the worker role's. Leases are compared by the database's clock, unless
        a test gives the clock it owns.
        """
        self._database = database
        self._adapters = adapters
        self._clock = clock
        self._files = files
        self._lease_clock = lease_clock
        self._slots = slots
        self._call_within = call_within
        self._hook = hook
        self._owner = new_id()
        self._wake = asyncio.Event()
        self._breakers: OrderedDict[ChannelId, Breaker] = OrderedDict()
        # Spreading load is no secret.
        self._random = random.Random()  # noqa: S311
        self._desk = Desk(
            database=database,
            vault=vault,
            has_lookup=self._has_lookup,
            wake_relay=wake_relay,
        )

    def wake(self) -> None:
        """Look for due lanes at once: a hook for after a commit."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; then let calls under way come to their end, for a while."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep())
            working: set[asyncio.Task[None]] = set()
            try:
                while True:
                    self._wake.clear()
                    leases = await self._lease_due(self._slots - len(working))
                    for lease in leases:
                        task = group.create_task(self._work_safely(lease))
                        working.add(task)
                        task.add_done_callback(working.discard)
                        task.add_done_callback(lambda _: self._wake.set())
                    if not leases or len(working) >= self._slots:
                        await self._rest()
            except asyncio.CancelledError:
                if working:
                    await asyncio.wait(working, timeout=DRAIN_WITHIN.total_seconds())
                raise

    async def run_once(self) -> int:
        """Lease what is due now and work on it to the end; how many lanes that were."""
        leases = await self._lease(to_call=True, limit=self._slots)
        leases += await self._lease(to_call=False, limit=self._slots)
        async with asyncio.TaskGroup() as group:
            for lease in leases:
                group.create_task(self._work(lease))
        return len(leases)

    async def wake_revivable(self) -> int:
        """Let lanes be looked at whose channel came back; how many there were."""
        async with self._database.begin() as transaction:
            woken = await store.wake_revivable(transaction, self._clock.now())
        if woken:
            self.wake()
        return woken

    async def _rest(self) -> None:
        seconds = POLL.total_seconds() * self._random.uniform(0.5, 1.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _sweep(self) -> None:
        """Decide what deadlines have decided, whether or not channels can be called."""
        while True:
            try:
                leases = await self._lease(to_call=False, limit=self._slots)
                async with asyncio.TaskGroup() as group:
                    for lease in leases:
                        group.create_task(self._work_safely(lease))
                await self.wake_revivable()
            except DatabaseUnavailable:
                log.warning("dispatch_waits_for_database")
                leases = []
            if len(leases) < self._slots:
                await asyncio.sleep(SWEEP_EVERY.total_seconds())

    async def _lease_due(self, limit: int) -> list[_Lease]:
        if limit <= 0:
            return []
        try:
            return await self._lease(to_call=True, limit=limit)
        except DatabaseUnavailable:
            log.warning("dispatch_waits_for_database")
            return []

    async def _lease(self, *, to_call: bool, limit: int) -> list[_Lease]:
        began = self._clock.monotonic()
        at = self._lease_clock.now() if self._lease_clock is not None else None
        lease = store.lease_to_call if to_call else store.lease_to_decide
        async with self._database.begin() as transaction:
            lanes = await lease(transaction, limit=limit, owner=self._owner, at=at)
        return [_Lease(lane, began) for lane in lanes]

    async def _work_safely(self, lease: _Lease) -> None:
        """A lane that fails is left to its lease: nobody else is in its way."""
        try:
            await self._work(lease)
        except DatabaseUnavailable:
            log.warning("lane_waits_for_database", conversation_id=lease.lane.conversation_id)
        except Exception as error:  # noqa: BLE001 - one lane must not stop the others
            metrics.DISPATCH_FAILURES.inc()
            log.error("lane_failed", conversation_id=lease.lane.conversation_id, exc_info=error)

    async def _work(self, lease: _Lease) -> None:
        await self._hook("leased")
        work = await actions.take_up(self._desk, lease.lane, now=self._now(lease))
        if isinstance(work, LookUps):
            found = await self._look_up(lease, work)
            await self._hook("looked_up")
            await actions.take_up(self._desk, lease.lane, now=self._now(lease), found=found)
        elif isinstance(work, Call):
            await self._hook("intended")
            began = self._clock.monotonic()
            outcome = await self._call(lease, work)
            ended = self._ended(work, outcome, self._clock.monotonic() - began)
            await self._hook("called")
            await self._write_down(lease, ended)
            await self._hook("written")

    async def _call(self, lease: _Lease, call: Call) -> SendOutcome:
        # Right before the first byte, and on a clock that never jumps.
        left = self._left(lease) - LEASE_MARGIN
        if left < SHORTEST_CALL:
            return NotSent(LEASE_TOO_SHORT)
        adapter = self._adapters.of(call.channel.kind)
        outcome = await self._hand_over(lease, adapter, call, within=min(self._call_within, left))
        metrics.DISPATCH_CALLS.labels(call.channel.kind.value, type(outcome).__name__).inc()
        log.info(
            "message_handed_over",
            message_id=call.attempt.message_id,
            attempt=call.attempt.number,
            channel_id=call.channel.id,
            outcome=type(outcome).__name__,
        )
        return outcome

    async def _hand_over(
        self, lease: _Lease, adapter: PlatformChannel, call: Call, *, within: timedelta
    ) -> SendOutcome:
        message = call.message
        if message.attachment is not None:
            brought = await bring_to_platform(
                self._database,
                self._files,
                self._clock,
                adapter,
                call.connection,
                workspace_id=lease.lane.workspace_id,
                channel_id=call.channel.id,
                attachment=message.attachment,
                within=within,
            )
            if not isinstance(brought, str):
                return brought
            message = replace(message, platform_media_id=brought)
            left = self._left(lease) - LEASE_MARGIN
            if left < SHORTEST_CALL:
                return NotSent(LEASE_TOO_SHORT)
            within = min(self._call_within, left)
        return await adapter.send(call.connection, message, within=within)

    async def _write_down(self, lease: _Lease, ended: Ended) -> None:
        """Also when the database is away for a moment: an acceptance must not be forgotten."""
        while True:
            try:
                await actions.finish(self._desk, lease.lane, ended, now=self._now(lease))
            except DatabaseUnavailable:
                if self._left(lease) <= timedelta(0):
                    raise
                await asyncio.sleep(WRITE_AGAIN_AFTER.total_seconds())
            else:
                return

    async def _look_up(
        self, lease: _Lease, work: LookUps
    ) -> dict[tuple[MessageId, int], FoundSend]:
        adapter = self._adapters.of(work.channel.kind)
        found: dict[tuple[MessageId, int], FoundSend] = {}
        for attempt in work.attempts:
            if self._left(lease) < LOOKUP_WITHIN + LEASE_MARGIN:
                break
            send = await adapter.find(
                work.connection, actions.mark_of(attempt), within=LOOKUP_WITHIN
            )
            if send is not None:
                found[attempt.message_id, attempt.number] = send
        return found

    def _ended(self, call: Call, outcome: SendOutcome, seconds: float) -> Ended:
        rest = None
        if outcome != NotSent(LEASE_TOO_SHORT):
            now = self._clock.monotonic()
            rest = self._breaker(call.channel.id).after(outcome, now_seconds=now)
        return Ended(
            call=call,
            outcome=outcome,
            answer_millis=round(seconds * 1000),
            rest=rest,
            luck=self._random.random(),
        )

    def _breaker(self, channel_id: ChannelId) -> Breaker:
        breaker = self._breakers.setdefault(channel_id, Breaker())
        self._breakers.move_to_end(channel_id)
        if len(self._breakers) > MAX_BREAKERS:
            self._breakers.popitem(last=False)
        return breaker

    def _has_lookup(self, channel: Channel) -> bool:
        return self._adapters.of(channel.kind).has_lookup

    def _now(self, lease: _Lease) -> datetime:
        """The time on the clock that the lease was given by."""
        return lease.lane.now + timedelta(seconds=self._clock.monotonic() - lease.began)

    def _left(self, lease: _Lease) -> timedelta:
        return LEASE - timedelta(seconds=self._clock.monotonic() - lease.began)
