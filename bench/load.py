"""Sends through browsers' sockets: at a rate, or as fast as answers come back."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.report import percentile
from bench.sockets import InboxSocket, Tally, stamped
from bench.usage import Usage, machine_cpu_seconds
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.desks import Desk
    from bench.subject import Browsers, Subject

SOCKETS_PER_DESK = 5
TEXT_LENGTH = 140
SETTLE_SECONDS = 15.0
"""Longer than the gateway waits for messaging's answer."""
WARM_UP_SHARE = 0.2
SHORTEST_PAUSE_SECONDS = 0.001


@dataclass(eq=False)
class Crowd:
    """Workspaces with the browsers that watch them and send."""

    desks: list[Desk]
    sockets: list[list[InboxSocket]]
    """By desk."""
    tally: Tally
    refs: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """Never used twice, so that a late answer is not taken for another's."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def all_sockets(self) -> list[InboxSocket]:
        """Of every desk."""
        return [client for group in self.sockets for client in group]

    async def come_back(self, browsers: Browsers) -> None:
        """Open again what the server closed, as browsers do."""
        for desk, group in zip(self.desks, self.sockets, strict=True):
            for place, client in enumerate(group):
                if client.is_closed:
                    group[place] = await browsers.open(desk, self.tally)


async def open_crowd(browsers: Browsers, desks: list[Desk]) -> Crowd:
    """Five browsers for each workspace."""
    tally = Tally()
    sockets = [await browsers.open_many(desk, tally, SOCKETS_PER_DESK) for desk in desks]
    return Crowd(desks, sockets, tally)


@dataclass(frozen=True)
class Found:
    """What a run gave."""

    acknowledged_per_second: float
    refused: Mapping[str, int]
    """How many, by reason."""
    unanswered: int
    missing: int
    """Deliveries of acknowledged messages that never came."""
    closed: int
    """Sockets the server ended."""
    ack_p50_millis: float
    ack_p99_millis: float
    delivery_p50_millis: float
    delivery_p99_millis: float
    late_p99_millis: float
    """How long after its time this client sent a message: its own delay, not Inbox's."""
    seconds: float
    acknowledged: int
    usage: Mapping[str, Usage]
    """By service, while it was sent."""
    client_cores: float
    """How much of a core this client took."""
    stranger_cores: float
    """Cores that were busy with neither Inbox nor this client."""

    @property
    def is_lossless(self) -> bool:
        """Everything was stored and arrived everywhere."""
        return not (self.refused or self.unanswered or self.missing or self.closed)

    @property
    def faults(self) -> str:
        """What went wrong, in words."""
        counts = {
            **{f"refused as {reason}": count for reason, count in self.refused.items()},
            "without answer": self.unanswered,
            "missing deliveries": self.missing,
            "sockets closed by the server": self.closed,
        }
        return (
            ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "no loss"
        )

    @property
    def total_usage(self) -> Usage:
        """Of all of Inbox."""
        return sum(self.usage.values(), Usage())


async def at_rate(subject: Subject, crowd: Crowd, per_second: float, seconds: float) -> Found:
    """Open loop: so many sends a second, whatever comes back."""
    run = _Run(subject, crowd, seconds)
    sent = 0
    while (now := time.perf_counter()) < run.end:
        due = int((now - run.began) * per_second)
        while sent < due:
            run.late_millis.append((now - run.began - sent / per_second) * 1e3)
            run.send()
            sent += 1
        next_due = run.began + (sent + 1) / per_second
        await asyncio.sleep(max(SHORTEST_PAUSE_SECONDS, next_due - time.perf_counter()))
    return await run.found()


async def in_window(subject: Subject, crowd: Crowd, window: int, seconds: float) -> Found:
    """Closed loop: each answer lets the next send go, so that many are always under way."""
    run = _Run(subject, crowd, seconds, is_closed_loop=True)
    for _ in range(window):
        run.send()
    await asyncio.sleep(run.end - time.perf_counter())
    return await run.found()


@dataclass(eq=False)
class _Run:
    subject: Subject
    crowd: Crowd
    seconds: float
    is_closed_loop: bool = False
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    late_millis: list[float] = field(default_factory=list)
    ack_millis: list[float] = field(default_factory=list)
    unanswered: dict[int, float] = field(default_factory=dict)
    """When each was sent, by ref."""
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.expected = [0] * len(self.crowd.desks)
        """Acknowledged messages by desk."""
        self.desk_of: dict[int, int] = {}
        # Every socket in turn: the gateway lets none send more than 20 frames a second.
        self.turns = itertools.cycle(
            (number, group[place], desk)
            for place in range(SOCKETS_PER_DESK)
            for number, (desk, group) in enumerate(
                zip(self.crowd.desks, self.crowd.sockets, strict=True)
            )
        )
        self.meter = self.subject.meter()
        for client in self.crowd.all_sockets:
            client.deliveries = 0
            client.on_ack = self.take_ack
        self.usage_before = self.meter.read()
        self.machine_before = machine_cpu_seconds()
        self.client_before = time.process_time()
        self.began = time.perf_counter()
        self.end = self.began + self.seconds
        self.warm = self.began + WARM_UP_SHARE * self.seconds
        self.crowd.tally.begin(WARM_UP_SHARE * self.seconds)

    def send(self) -> None:
        ref = next(self.crowd.refs)
        number, client, desk = next(self.turns)
        bits = f"{self.crowd.dice.getrandbits(128):032x}"
        frame = realtime_v1.ClientFrame(
            ref=ref,
            send_message=messaging_v1.SendMessageRequest(
                conversation_id=self.crowd.dice.choice(desk.conversations),
                client_message_id=(
                    f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-8{bits[17:20]}-{bits[20:]}"
                ),
                text=stamped(TEXT_LENGTH),
            ),
        )
        self.desk_of[ref] = number
        self.unanswered[ref] = time.perf_counter()
        client.send(frame.SerializeToString())

    def take_ack(self, ref: int, refusal: str) -> None:
        sent = self.unanswered.pop(ref, None)
        if sent is None:
            return
        now = time.perf_counter()
        number = self.desk_of.pop(ref)
        if not refusal:
            self.acknowledged += 1
            self.expected[number] += 1
            if sent >= self.warm:
                self.ack_millis.append((now - sent) * 1e3)
        else:
            self.refused[refusal] += 1
        if self.is_closed_loop and now < self.end:
            self.send()
        elif not self.unanswered:
            self.all_answered.set()

    async def found(self) -> Found:
        """Read every meter, then wait for what is still under way."""
        seconds = time.perf_counter() - self.began
        acknowledged = self.acknowledged
        usage = self.meter.since(self.usage_before)
        client = time.process_time() - self.client_before
        busy = machine_cpu_seconds()[0] - self.machine_before[0]
        inbox = sum(each.cpu_seconds for each in usage.values())
        await self._settle()
        ages = self.crowd.tally.ages_millis
        return Found(
            acknowledged_per_second=acknowledged / seconds,
            refused=self.refused,
            unanswered=len(self.unanswered),
            missing=self._missing(),
            closed=sum(client.is_closed for client in self.crowd.all_sockets),
            ack_p50_millis=percentile(self.ack_millis, 0.5),
            ack_p99_millis=percentile(self.ack_millis, 0.99),
            delivery_p50_millis=percentile(ages, 0.5),
            delivery_p99_millis=percentile(ages, 0.99),
            late_p99_millis=percentile(self.late_millis, 0.99),
            seconds=seconds,
            acknowledged=acknowledged,
            usage=usage,
            client_cores=client / seconds,
            stranger_cores=max(0.0, busy - inbox - client) / seconds,
        )

    async def _settle(self) -> None:
        deadline = time.perf_counter() + SETTLE_SECONDS
        self.all_answered.clear()
        if self.unanswered:
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self.all_answered.wait()
        tally = self.crowd.tally
        while missing := self._missing():
            # At least so many more; others may come, of messages whose answer came too late.
            left = deadline - time.perf_counter()
            if left <= 0 or not await tally.wait_for(tally.count + missing, left):
                return

    def _missing(self) -> int:
        return sum(
            max(0, expected - client.deliveries)
            for expected, group in zip(self.expected, self.crowd.sockets, strict=True)
            for client in group
        )
