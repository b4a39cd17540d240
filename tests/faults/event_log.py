"""A service database, its relay processes and a consumer's, under kills; and what must come out.

    python -m tests.faults.event_log relay|consumer

runs one of the processes; the addresses come from the environment.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import nats

from chassis import cursor, logs
from chassis.bus import Bus
from chassis.consumer import Consumer
from chassis.cursor import Cursor
from chassis.database import Database, DatabaseUnavailable, Transaction
from chassis.event_log import EventLog
from chassis.events import Event, event_of
from chassis.fence import FencedWriter
from chassis.messages import Outgoing
from chassis.migrations import migrate
from chassis.publisher import Publisher
from chassis.relay import Relay
from chassis.stream import EventStream
from chassis.tasks import Supervisor
from suite import databases
from suite.databases import DatabaseUrls
from suite.settings import python_environment
from tests.servers import BreakableNats, BreakablePostgres
from tests.service.chassis.conftest import FOLDER, SERVICE
from tests.service.chassis.eventing import STREAM, Effects, LocalLog, NoEntities, emit

CONSUMER = "test-projection"
WORKSPACE = "00000000-0000-4000-8000-000000000001"
KEYS = 12
WRITERS = 4


class UnfencedWriter(FencedWriter):
    """Believes every acknowledgement, and expects nothing: what everybody writes first."""

    async def write(self, events: Sequence[Event]) -> int:
        messages = [Outgoing(event.subject, event.payload, event.lines()) for event in events]
        await self._bus.ask(*messages)
        return events[-1].gpos


async def prepare(postgres: BreakablePostgres) -> DatabaseUrls:
    """An empty service database."""
    database = databases.database_of(SERVICE)
    passwords = {database.role(kind): "test" for kind in databases.ROLES}
    async with databases.connected(postgres.server.url) as connection:
        await databases.create_roles(connection, database, passwords)
        await databases.create_database(connection, postgres.server.url, database)
    urls = databases.urls(postgres.server.url, database, passwords)
    await migrate(urls.owner, SERVICE, FOLDER)
    return urls


class Process:
    """One of ours, to be killed."""

    def __init__(self, role: str, environment: dict[str, str], log: Path) -> None:
        self._role = role
        self._environment = environment
        self._log = log
        self._sign = log.with_suffix(".works")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def works(self) -> bool:
        """Whether it got as far as its work: killing it earlier would prove nothing."""
        return self._sign.exists()

    def start(self) -> None:
        self._sign.unlink(missing_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.event_log", self._role],
                env=python_environment() | self._environment | {"TEST_SIGN": str(self._sign)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


@dataclass
class Report:
    """What the checker found."""

    written: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    converged: bool = False
    missing: int = 0
    doubled: int = 0
    misplaced: int = 0
    order_breaks: int = 0
    effects_missing: int = 0
    effects_doubled: int = 0
    effects_order_breaks: int = 0

    @property
    def is_clean(self) -> bool:
        return self.converged and not any(
            (
                self.missing,
                self.doubled,
                self.misplaced,
                self.order_breaks,
                self.effects_missing,
                self.effects_doubled,
                self.effects_order_breaks,
            )
        )


class Load:
    """Writers that commit dense numbers per key, and go on whatever the database does."""

    def __init__(self, url: str, seed: int) -> None:
        self._database = Database(url)
        self._dice = random.Random(seed)
        self._next = dict.fromkeys(range(KEYS), 0)
        self.written = 0
        self.is_over = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._write(range(number, KEYS, WRITERS)))
        await self._database.close()

    async def _write(self, keys: Sequence[int]) -> None:
        while not self.is_over:
            key = self._dice.choice(keys)
            numbers = range(self._next[key], self._next[key] + self._dice.randint(1, 4))
            try:
                await emit(
                    self._database,
                    WORKSPACE,  # type: ignore[arg-type]
                    *(f"{key}:{number}" for number in numbers),
                    key=f"key-{key}",
                )
            except DatabaseUnavailable:
                # Whether it was committed is unknown; a key is never used again after that.
                self._next[key] += 1_000_000
                await asyncio.sleep(0.05)
                continue
            self._next[key] = numbers.stop
            self.written += len(numbers)
            await asyncio.sleep(self._dice.random() * 0.01)


def in_order(payloads: Sequence[str]) -> int:
    """How often a key's number does not follow the one before it."""
    newest: dict[str, int] = {}
    breaks = 0
    for payload in payloads:
        key, _, number = payload.partition(":")
        before, present = newest.get(key, -1), int(number)
        follows = present == before + 1 or present // 1_000_000 > max(before, 0) // 1_000_000
        breaks += not follows
        newest[key] = present
    return breaks


async def check(
    urls: DatabaseUrls, nats: BreakableNats, report: Report, within: float, *, consumes: bool
) -> None:
    """Wait until everything arrived, then compare stream and effects with the log."""
    database, bus = Database(urls.worker), Bus(nats.server.url, name="checker")
    stream = EventStream(bus, STREAM)
    async with Supervisor() as supervisor:
        supervisor.supervise("bus", bus.run)
        await asyncio.wait_for(bus.wait_connected(), within)
        report.converged = await _converges(database, stream, within, consumes=consumes)
        async with database.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT gpos, event_id::text, payload FROM events ORDER BY gpos"
            )
            effects = await transaction.raw.fetch("SELECT gpos, payload FROM effects ORDER BY id")
        found = await _everything(bus)
    await database.close()
    by_id = Counter(event.event_id for _, event in found)
    report.missing = sum(row["event_id"] not in by_id for row in rows)
    report.doubled = sum(count - 1 for count in by_id.values())
    report.misplaced = sum(sequence != event.gpos for sequence, event in found)
    report.order_breaks = in_order([event.payload.decode() for _, event in found])
    if consumes:
        applied = Counter(effect["gpos"] for effect in effects)
        report.effects_missing = sum(row["gpos"] not in applied for row in rows)
        report.effects_doubled = sum(count - 1 for count in applied.values())
        report.effects_order_breaks = in_order([effect["payload"] for effect in effects])


async def _converges(
    database: Database, stream: EventStream, within: float, *, consumes: bool
) -> bool:
    try:
        async with asyncio.timeout(within):
            while True:
                async with database.begin() as transaction:
                    row = await transaction.raw.fetchrow(
                        "SELECT last_gpos, EXISTS (SELECT FROM outbox) AS waiting, "
                        "(SELECT gpos FROM consumer_cursors) AS applied FROM log_state"
                    )
                    assert row is not None
                state = await stream.state()
                is_published = state is not None and state.last_seq == row["last_gpos"]
                is_applied = not consumes or row["applied"] == row["last_gpos"]
                if is_published and is_applied and not row["waiting"]:
                    return True
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False


async def _everything(bus: Bus) -> list[tuple[int, Event]]:
    """Every message of the stream with its sequence, also where it should not be."""
    found: list[tuple[int, Event]] = []
    client = await nats.connect(bus._servers)
    subscription = await client.jetstream().subscribe(
        "inbox.messaging.>", stream=STREAM, ordered_consumer=True
    )
    info = await client.jetstream().stream_info(STREAM)
    while len(found) < info.state.messages:
        message = await subscription.next_msg(timeout=5)
        event = event_of(message.subject, message.headers, message.data)
        found.append((message.metadata.sequence.stream, event))
    await client.close()
    return found


async def relay_process() -> None:
    database = Database(os.environ["TEST_DATABASE_URL"])
    bus = Bus(os.environ["TEST_NATS_URL"], name="relay")
    relay = Relay(database, bus, STREAM, is_exclusive=False)
    if os.environ["TEST_FENCE"] == "off":
        relay.publisher = Publisher(database, bus, EventStream(bus, STREAM), UnfencedWriter(bus))
    async with Supervisor() as supervisor:
        supervisor.supervise("bus", bus.run)
        supervisor.supervise("relay", relay.run)
        await _sign_when(lambda: relay.is_active)


async def consumer_process() -> None:
    if os.environ["TEST_CURSOR_CHECK"] == "off":

        async def believe(transaction: Transaction, consumer: str, expected: Cursor) -> None:
            await cursor.load(transaction, consumer)

        cursor.claim = believe
    database = Database(os.environ["TEST_DATABASE_URL"])
    bus = Bus(os.environ["TEST_NATS_URL"], name="consumer")
    consumer = Consumer(
        name=CONSUMER,
        stream=STREAM,
        database=database,
        bus=bus,
        owner=LocalLog(EventLog(database, NoEntities())),
        apply=Effects().apply,
        is_exclusive=False,
    )
    async with Supervisor() as supervisor:
        supervisor.supervise("bus", bus.run)
        supervisor.supervise("consumer", consumer.run)
        await _sign_when(lambda: consumer.is_active)


async def _sign_when(works: Callable[[], bool]) -> None:
    sign = Path(os.environ["TEST_SIGN"])
    while not works():
        await asyncio.sleep(0.01)
    await asyncio.to_thread(sign.touch)
    await asyncio.Event().wait()


async def place_cursor(urls: DatabaseUrls) -> None:
    """The consumer begins with the first event."""
    connection = await asyncpg.connect(urls.worker)
    await connection.execute(
        "INSERT INTO consumer_cursors (consumer, stream, log_epoch, gpos) "
        "SELECT $1, $2, log_epoch, 0 FROM log_state",
        CONSUMER,
        STREAM,
    )
    await connection.close()


if __name__ == "__main__":
    logs.configure("test")
    asyncio.run({"relay": relay_process, "consumer": consumer_process}[sys.argv[1]]())
