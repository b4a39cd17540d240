"""P1, the database half: durable sends through the writers, against pgbench's full send.

    python -m bench.send_path [--seconds 8] [--in-flight 512] [--workspaces 1]

Ours is in group commits, from one process. Both run on the same PostgreSQL with fsync, one after
the other. CPU is what a busy machine disturbs least.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

import uvloop

from bench.anchors.full_send import CLIENTS, full_send_database
from bench.database import cpu_seconds
from bench.report import percentile
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.migrations import migrate
from services.messaging.actions.writers import Writers
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.draft import Draft, Opening
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId, conversation_id_of
from suite.databases import (
    ROLES,
    DatabaseUrls,
    connected,
    create_database,
    create_roles,
    database_of,
    urls,
)
from suite.infra import running_postgres
from suite.infra.postgres import PostgresServer

WITHIN = timedelta(seconds=30)
THREADS = 1_000
"""Of all workspaces together."""
TEXT = "Thanks for writing, we are looking into it and will be back in a minute."


@dataclass
class Load:
    """Senders that each keep one message in flight."""

    writers: Writers
    workspace_id: WorkspaceId
    channel_id: ChannelId
    kind: ChannelKind
    threads: list[ConversationId] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    async def open_threads(self, count: int) -> None:
        waiting = []
        for number in range(count):
            opening = Opening(self.channel_id, self.kind, f"customer {number}", "Ana")
            draft = Draft(
                conversation_id_of(self.channel_id, opening.external_id),
                new_id(),
                Author(AuthorKind.CUSTOMER),
                "hola",
                opening=opening,
            )
            waiting.append(self.writers.submit(self.workspace_id, draft, within=WITHIN))
        self.threads = [(await one).message.conversation_id for one in waiting]

    async def send_until(self, end: float, first: int) -> None:
        author = Author(AuthorKind.MEMBER, "maria", "María")
        place = first
        while (began := perf_counter()) < end:
            place = (place + 7) % len(self.threads)
            draft = Draft(self.threads[place], new_id(), author, TEXT)
            await self.writers.submit(self.workspace_id, draft, within=WITHIN)
            self.latencies.append(perf_counter() - began)


@contextmanager
def database() -> Iterator[tuple[PostgresServer, DatabaseUrls]]:
    with (
        tempfile.TemporaryDirectory(prefix="inbox-bench-") as folder,
        running_postgres(Path(folder) / "postgres", fsync=True) as server,
    ):
        yield server, asyncio.run(_prepared(server))


async def _prepared(server: PostgresServer) -> DatabaseUrls:
    messaging = database_of("messaging")
    passwords = {messaging.role(kind): "bench" for kind in ROLES}
    async with connected(server.url) as connection:
        await create_roles(connection, messaging, passwords)
        await create_database(connection, server.url, messaging)
    made = urls(server.url, messaging, passwords)
    await migrate(made.owner, "messaging")
    return made


async def limit(server: PostgresServer, seconds: int) -> float:
    """pgbench's full sends a second."""
    async with full_send_database(server.url) as pgbench:
        return (await pgbench.run(seconds)).per_second


async def ours(
    server: PostgresServer, made: DatabaseUrls, kind: ChannelKind, given: argparse.Namespace
) -> float:
    """Sends per second through the writers."""
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    app, worker = Database(made.app), Database(made.worker)
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    writers = Writers(worker, SystemClock(), on_commit=count, on_numbered=lambda _: count())
    loads = [Load(writers, *(await _shop(app, kind)), kind) for _ in range(given.workspaces)]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(writers.run())
        for load in loads:
            await load.open_threads(max(1, THREADS // len(loads)))
        commits = 0
        began, cpu_before = perf_counter(), process_time()
        their_cpu_before = cpu_seconds(postmaster)
        async with asyncio.TaskGroup() as senders:
            for number in range(given.in_flight):
                load = loads[number % len(loads)]
                first = number * len(load.threads) // given.in_flight
                senders.create_task(load.send_until(began + given.seconds, first))
        took, cpu = perf_counter() - began, process_time() - cpu_before
        their_cpu = cpu_seconds(postmaster) - their_cpu_before
        running.cancel()
    await app.close()
    await worker.close()
    latencies = [latency for load in loads for latency in load.latencies]
    sends = len(latencies)
    print(
        f"  {kind.value}: {sends / took:,.0f} sends/s, {sends / commits:.0f} a commit, "
        f"p50 {percentile(latencies, 0.5) * 1e3:.1f} ms, "
        f"p99 {percentile(latencies, 0.99) * 1e3:.1f} ms, "
        f"CPU a send: own {cpu / sends * 1e6:.0f} µs, PostgreSQL {their_cpu / sends * 1e6:.0f} µs"
    )
    return sends / took


async def _shop(app: Database, kind: ChannelKind) -> tuple[WorkspaceId, ChannelId]:
    """A workspace with a channel."""
    workspace_id, channel_id = WorkspaceId(new_id()), ChannelId(new_id())
    async with app.begin(workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO channels VALUES ($1, $2, $3, 'Shop', 'connected', '', '{}', now(), "
            "now(), 1)",
            workspace_id,
            channel_id,
            kind.value,
        )
    return workspace_id, channel_id


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seconds", type=int, default=8)
    arguments.add_argument("--in-flight", type=int, default=512)
    arguments.add_argument("--workspaces", type=int, default=1)
    given = arguments.parse_args()
    with database() as (server, made):
        alone = asyncio.run(limit(server, given.seconds))
        print(f"  pgbench, full send, {CLIENTS} clients: {alone:,.0f}/s")
        for kind in (ChannelKind.WEB_CHAT, ChannelKind.SIMULATOR):
            figure = uvloop.run(ours(server, made, kind, given))
            print(f"  ratio to the limit: {figure / alone:.2f}")


if __name__ == "__main__":
    main()
