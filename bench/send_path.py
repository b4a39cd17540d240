"""P1, the database half: durable sends through the writers, against pgbench's full send.

    python -m bench.send_path [--seconds 8] [--in-flight 512]

The anchor is pgbench with 16 clients, one transaction each: update the thread, insert the message,
insert the outbox row; no idempotency, attempts, receipts or row security. Ours does all of that, in
group commits, from one process. Both run on the same PostgreSQL with fsync, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

import uvloop

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
TEXT = "Thanks for writing, we are looking into it and will be back in a minute."
ANCHOR_TABLES = f"""
CREATE TABLE anchor_threads (id int PRIMARY KEY, last_seq bigint NOT NULL, preview text)
    WITH (fillfactor = 60);
CREATE TABLE anchor_messages (thread_id int, seq bigint, id uuid, body text,
    PRIMARY KEY (thread_id, seq));
CREATE TABLE anchor_outbox (id bigserial PRIMARY KEY, subject text, payload bytea);
INSERT INTO anchor_threads SELECT n, 0, '' FROM generate_series(1, {THREADS}) n;
"""
ANCHOR = f"""
\\set thread random(1, {THREADS})
WITH grown AS (UPDATE anchor_threads SET last_seq = last_seq + 1, preview = '{TEXT}'
    WHERE id = :thread RETURNING last_seq),
added AS (INSERT INTO anchor_messages SELECT :thread, last_seq, gen_random_uuid(), '{TEXT}'
    FROM grown)
INSERT INTO anchor_outbox (subject, payload) SELECT 'message_created',
    convert_to(repeat('{TEXT}', 4), 'UTF8') FROM grown;
"""
CLIENTS = 16


@dataclass
class Load:
    """Senders that each keep one message in flight."""

    writers: Writers
    workspace_id: WorkspaceId
    channel_id: ChannelId
    kind: ChannelKind
    latencies: list[float] = field(default_factory=list)

    async def open_threads(self) -> list[ConversationId]:
        waiting = []
        for number in range(THREADS):
            opening = Opening(self.channel_id, self.kind, f"customer {number}", "Ana")
            draft = Draft(
                conversation_id_of(self.channel_id, opening.external_id),
                new_id(),
                Author(AuthorKind.CUSTOMER),
                "hola",
                opening=opening,
            )
            waiting.append(self.writers.submit(self.workspace_id, draft, within=WITHIN))
        return [(await one).message.conversation_id for one in waiting]

    async def send_until(self, end: float, threads: list[ConversationId], first: int) -> None:
        author = Author(AuthorKind.MEMBER, "maria", "María")
        place = first
        while (began := perf_counter()) < end:
            place = (place + 7) % len(threads)
            draft = Draft(threads[place], new_id(), author, TEXT)
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
        await connection.execute(ANCHOR_TABLES)
    made = urls(server.url, messaging, passwords)
    await migrate(made.owner, "messaging")
    return made


def anchor(server: PostgresServer, seconds: int) -> float:
    """pgbench's transactions per second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(ANCHOR)
        script.flush()
        pgbench = server.binary.path.with_name("pgbench")
        command = [str(pgbench), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"]
        command += ["-T", str(seconds), "-f", script.name, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(done.stdout + done.stderr)
    return float(found[1])


async def ours(made: DatabaseUrls, kind: ChannelKind, seconds: int, in_flight: int) -> float:
    """Sends per second through the writers."""
    app = Database(made.app)
    workspace_id, channel_id = WorkspaceId(new_id()), ChannelId(new_id())
    async with app.begin(workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO channels VALUES ($1, $2, $3, 'Shop', 'connected', '', '{}', now(), "
            "now(), 1)",
            workspace_id,
            channel_id,
            kind.value,
        )
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    writers = Writers(app, SystemClock(), on_commit=count)
    load = Load(writers, workspace_id, channel_id, kind)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(writers.run())
        threads = await load.open_threads()
        commits = 0
        began, cpu_before = perf_counter(), process_time()
        async with asyncio.TaskGroup() as senders:
            for number in range(in_flight):
                first = number * len(threads) // in_flight
                senders.create_task(load.send_until(began + seconds, threads, first))
        took, cpu = perf_counter() - began, process_time() - cpu_before
        running.cancel()
    await app.close()
    sends, ordered = len(load.latencies), sorted(load.latencies)
    print(
        f"  {kind.value}: {sends / took:,.0f} sends/s, {sends / commits:.0f} a commit, "
        f"p50 {ordered[sends // 2] * 1e3:.1f} ms, p99 {ordered[sends * 99 // 100] * 1e3:.1f} ms, "
        f"own CPU {cpu / sends * 1e6:.0f} µs a send"
    )
    return sends / took


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=8)
    arguments.add_argument("--in-flight", type=int, default=512)
    given = arguments.parse_args()
    with database() as (server, made):
        limit = anchor(server, given.seconds)
        print(f"  pgbench, full send, {CLIENTS} clients: {limit:,.0f}/s")
        for kind in (ChannelKind.WEB_CHAT, ChannelKind.SIMULATOR):
            figure = uvloop.run(ours(made, kind, given.seconds, given.in_flight))
            print(f"  ratio to the limit: {figure / limit:.2f}")


if __name__ == "__main__":
    main()
