"""A storm: load, watchers and somebody with a kill -9, as long as it is told; then the truth."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
import grpc

from inbox.messaging import v1 as messaging_v1
from tests.connect_client import CallRefused, ConnectClient
from tests.faults.system.load import Ledger, Sender, Verdict, check, open_conversations
from tests.live_client import LiveClient, fresh_snapshot
from tests.running_inbox import RunningInbox

CONVERGE_WITHIN_SECONDS = 60.0
STORM_AT_MOST_SECONDS = 150.0
SENDERS = 8
WATCHERS = 4
CONVERSATIONS = 24


@dataclass(frozen=True)
class Size:
    """How big a storm is."""

    sends: int
    faults: int
    seconds_between_faults: float


SHORT = Size(sends=2_000, faults=12, seconds_between_faults=1.6)
FULL = Size(sends=20_000, faults=60, seconds_between_faults=2.2)


def size() -> Size:
    """Short in `./dev test`, full in `./dev faults`."""
    return FULL if os.environ.get("INBOX_TEST_FULL") == "1" else SHORT


def seed() -> int:
    """From the environment, so that a failure can be repeated."""
    return int(os.environ.get("INBOX_SEED") or random.SystemRandom().randrange(1 << 32))


@dataclass
class Storm:
    """What happened and what was found."""

    seed: int
    ledger: Ledger
    verdict: Verdict
    faults: Counter[str]
    watchers: list[LiveClient]
    disagreements: list[str] = field(default_factory=list)
    converged_seconds: float = 0.0
    sends_while_nats_was_away: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {len(self.ledger.acknowledged)} acknowledged in "
            f"{self.seconds:.1f} s, {self.ledger.retries} retries, "
            f"{self.ledger.replayed} replayed, {self.ledger.given_up} given up; "
            f"faults {dict(self.faults)}; {self.verdict}; "
            f"watchers: {sum(w.connections for w in self.watchers)} connections, "
            f"{sum(w.resyncs for w in self.watchers)} resyncs, "
            f"{sum(w.chain_breaks for w in self.watchers)} chain breaks, "
            f"{len(self.disagreements)} disagreements {self.disagreements[:3]}; "
            f"converged in {self.converged_seconds:.1f} s; "
            f"{self.sends_while_nats_was_away} sends while NATS was away; "
            f"errors seen by senders: {dict(self.ledger.errors.most_common(6))}"
        )


Fault = Callable[[RunningInbox, random.Random], str]


def kill_any(inbox: RunningInbox, dice: random.Random) -> str:
    """kill -9 of any process of the suite, infrastructure included."""
    process = dice.choice(inbox.processes())
    inbox.kill(process.name)
    return process.service


def kill_every_kind() -> Fault:
    """Every kind of process in turn, in a random order, so that none is spared by luck."""
    waiting: list[str] = []

    def kill(inbox: RunningInbox, dice: random.Random) -> str:
        if not waiting:
            waiting.extend({process.service for process in inbox.processes()})
            waiting.sort()
            dice.shuffle(waiting)
        service = waiting.pop()
        there = [process for process in inbox.processes() if process.service == service]
        if there:
            inbox.kill(dice.choice(there).name)
        return service

    return kill


def let_be(_: RunningInbox, __: random.Random) -> str:
    """Calm weather."""
    return "nothing"


def wipe_nats(inbox: RunningInbox, _: random.Random) -> str:
    """NATS loses everything it ever stored."""
    inbox.wipe_nats_store()
    return "nats store wiped"


async def storm(
    inbox: RunningInbox,
    faults: Sequence[Fault],
    *,
    of: Size,
    with_seed: int,
    fresh_id_for_each_try: bool = False,
    is_impatient: bool = False,
) -> Storm:
    """Run the load under the faults, wait until all is quiet, and check."""
    dice = random.Random(with_seed)
    key = inbox.key("owner")
    ledger = Ledger()
    done: Counter[str] = Counter()
    async with aiohttp.ClientSession() as http, front_door(inbox) as channel:
        connect = ConnectClient(http, inbox.url, key)
        conversations = await open_conversations(
            http, inbox.url, await web_chat_channel(connect), CONVERSATIONS
        )
        stub = messaging_v1.MessagingServiceStub(channel)
        watchers = [LiveClient(connect) for _ in range(WATCHERS)]
        senders = [
            Sender(
                stub,
                key,
                conversations,
                ledger,
                random.Random(dice.random()),
                f"s{number}",
                fresh_id_for_each_try,
                is_impatient,
            )
            for number in range(SENDERS)
        ]
        enough = asyncio.Event()
        started = time.monotonic()
        away: list[tuple[float, float]] = []
        async with asyncio.TaskGroup() as watching:
            watch_tasks = [watching.create_task(watcher.run()) for watcher in watchers]
            async with asyncio.timeout(30):
                for watcher in watchers:
                    await watcher.live.wait()
            expected_seconds = of.faults * of.seconds_between_faults
            async with asyncio.TaskGroup() as sending:
                for sender in senders:
                    sending.create_task(
                        sender.run(enough, pause=SENDERS * expected_seconds / of.sends / 2)
                    )
                sending.create_task(
                    _make_weather(inbox, faults, of, dice, done, ledger, enough, away)
                )
            quiet = time.monotonic()
            disagreements = await converge(connect, watchers)
            converged = time.monotonic() - quiet
            verdict = await check(connect, conversations, ledger)
            for task in watch_tasks:
                task.cancel()
    return Storm(
        seed=with_seed,
        ledger=ledger,
        verdict=verdict,
        faults=done,
        watchers=watchers,
        disagreements=disagreements,
        converged_seconds=converged,
        sends_while_nats_was_away=sum(
            any(gone <= at <= back for gone, back in away) for at in ledger.acknowledged_at
        ),
        seconds=quiet - started,
    )


@contextlib.asynccontextmanager
async def front_door(inbox: RunningInbox) -> AsyncIterator[grpc.aio.Channel]:
    """A gRPC channel as a team's program has one."""
    options = [
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
        ("grpc.keepalive_time_ms", 10_000),
    ]
    async with grpc.aio.insecure_channel(inbox.grpc_target, options=options) as channel:
        yield channel


async def web_chat_channel(connect: ConnectClient) -> str:
    """The demo's chat box."""
    channels = await connect.call(
        "inbox.messaging.v1.ChannelService/ListChannels",
        messaging_v1.ListChannelsRequest(),
        messaging_v1.ListChannelsResponse,
    )
    return next(
        channel.id
        for channel in channels.channels
        if channel.kind == messaging_v1.CHANNEL_KIND_WEB_CHAT
    )


async def _make_weather(
    inbox: RunningInbox,
    faults: Sequence[Fault],
    of: Size,
    dice: random.Random,
    done: Counter[str],
    ledger: Ledger,
    enough: asyncio.Event,
    away: list[tuple[float, float]],
) -> None:
    started = time.monotonic()
    for number in range(of.faults):
        await asyncio.sleep(of.seconds_between_faults * (0.5 + dice.random()))
        what = faults[number % len(faults)](inbox, dice)
        done[what] += 1
        if what.startswith("nats"):
            gone = time.monotonic()
            # It is away at least until the supervisor has noticed and started it again.
            away.append((gone, gone + 0.25))
    while len(ledger.acknowledged) < of.sends:
        assert time.monotonic() - started < STORM_AT_MOST_SECONDS * max(1, of.sends // 5_000), (
            f"only {len(ledger.acknowledged)} sends in time; {ledger.errors.most_common(5)}"
        )
        await asyncio.sleep(0.1)
    enough.set()


async def converge(connect: ConnectClient, watchers: Sequence[LiveClient]) -> list[str]:
    """Until every watcher shows what a fresh snapshot shows; what still differs otherwise."""
    deadline = time.monotonic() + CONVERGE_WITHIN_SECONDS
    while True:
        differing: list[str] = []
        try:
            truth = (await fresh_snapshot(connect)).digest()
            for number, watcher in enumerate(watchers):
                differing += [f"watcher {number}: {what}" for what in _differing(watcher, truth)]
        except (CallRefused, aiohttp.ClientError, TimeoutError) as error:
            differing = [f"snapshot: {error}"]
        if not differing or time.monotonic() > deadline:
            return differing
        await asyncio.sleep(0.25)


def _differing(watcher: LiveClient, truth: dict[str, dict[object, object]]) -> list[str]:
    shown = watcher.desk.digest()
    return [
        f"{part} {key}: shown {shown[part].get(key)}, true {truth[part].get(key)}"
        for part in truth
        for key in truth[part].keys() | shown[part].keys()
        if truth[part].get(key) != shown[part].get(key)
    ]
