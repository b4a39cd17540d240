"""The limits of this machine, measured beside our own figures: PostgreSQL, C and nats-server."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

PGBENCH_CLIENTS = 16
SCHEMA = """
CREATE TABLE threads (id int PRIMARY KEY, last_seq bigint NOT NULL, preview text)
    WITH (fillfactor = 60);
CREATE TABLE messages (thread int, seq bigint, id uuid NOT NULL UNIQUE, client_id uuid NOT NULL
    UNIQUE, body text, PRIMARY KEY (thread, seq));
CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload bytea);
INSERT INTO threads SELECT g, 0, '' FROM generate_series(1, 2000) g;
"""
FULL_SEND = r"""
\set thread random(1, 2000)
BEGIN;
UPDATE threads SET last_seq = last_seq + 1, preview = 'hello' WHERE id = :thread;
INSERT INTO messages SELECT id, last_seq, gen_random_uuid(), gen_random_uuid(), repeat('x', 120)
    FROM threads WHERE id = :thread;
INSERT INTO outbox (payload) VALUES (decode(repeat('ab', 300), 'hex'));
COMMIT;
"""
FAN_OUT = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
/* One event to N sockets with one send() each: CPU microseconds of this process per delivery. */
int main(int argc, char **argv) {
  int port = atoi(argv[1]), n = atoi(argv[2]), rounds = atoi(argv[3]), size = atoi(argv[4]);
  int *fds = malloc(sizeof(int) * n); char *frame = malloc(size); memset(frame, 'x', size);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < n; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fds[i], (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
  }
  struct rusage a, b; getrusage(RUSAGE_SELF, &a);
  for (int r = 0; r < rounds; r++) {
    for (int i = 0; i < n; i++) if (send(fds[i], frame, size, MSG_NOSIGNAL) < 0) return 1;
    usleep(20000);
  }
  getrusage(RUSAGE_SELF, &b);
  double user = (b.ru_utime.tv_sec - a.ru_utime.tv_sec) * 1e6
    + (b.ru_utime.tv_usec - a.ru_utime.tv_usec);
  double system = (b.ru_stime.tv_sec - a.ru_stime.tv_sec) * 1e6
    + (b.ru_stime.tv_usec - a.ru_stime.tv_usec);
  printf("%f\n", (user + system) / ((double)n * rounds));
  return 0;
}
"""


async def full_sends_per_second(superuser_url: str, pgbench: Path, seconds: int) -> float:
    """PostgreSQL alone: thread update, message and outbox row, one commit each, 16 clients."""
    name = f"bench_anchor_{time.time_ns()}"
    administrator = await asyncpg.connect(superuser_url)
    try:
        await administrator.execute(f"CREATE DATABASE {name}")
        parts = urlsplit(superuser_url)
        connection = await asyncpg.connect(parts._replace(path=f"/{name}").geturl())
        try:
            await connection.execute(SCHEMA)
        finally:
            await connection.close()
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(FULL_SEND)
            script.flush()
            ran = await asyncio.to_thread(
                subprocess.run,
                [
                    str(pgbench), "--no-vacuum", "--protocol=prepared", f"--file={script.name}",
                    f"--client={PGBENCH_CLIENTS}", "--jobs=2", f"--time={seconds}",
                    f"--host={parts.hostname}", f"--port={parts.port}",
                    f"--username={parts.username}", name,
                ],
                env={"PGPASSWORD": parts.password or "", "PATH": "/usr/bin:/bin"},
                check=True,
                capture_output=True,
                text=True,
            )  # fmt: skip
        found = re.search(r"tps = ([\d.]+)", ran.stdout)
        if found is None:
            raise RuntimeError(f"pgbench printed no figure:\n{ran.stdout}")
        return float(found.group(1))
    finally:
        await administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await administrator.close()


async def c_microseconds_per_delivery(sockets: int, rounds: int, size_bytes: int) -> float | None:
    """CPU of a C program that writes one event to many sockets; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "fan_out.c"
        source.write_text(FAN_OUT)
        program = Path(folder) / "fan_out"
        await asyncio.to_thread(
            subprocess.run, [compiler, "-O2", "-o", str(program), str(source)], check=True
        )
        sink = await asyncio.start_server(_swallow, "127.0.0.1", 0, backlog=4096)
        async with sink:
            port = sink.sockets[0].getsockname()[1]
            process = await asyncio.create_subprocess_exec(
                str(program), str(port), str(sockets), str(rounds), str(size_bytes),
                stdout=subprocess.PIPE,
            )  # fmt: skip
            printed, _ = await process.communicate()
    return float(printed)


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 16):
        pass
    writer.close()


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / 100.0


def resident_bytes(pid: int) -> int:
    """Physical memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
