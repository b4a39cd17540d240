"""ejabberd, a durable chat server, with its message archive in the same PostgreSQL.

One sender and one receiver for each workspace of our own run; the receiver is there with five
sockets. A message counts once stream management acknowledged it, after it was archived.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bench.anchors.database import throwaway_database
from bench.anchors.xmpp import Client
from bench.program import running
from bench.report import Limit, percentile
from bench.sockets import Tally, some_at_a_time
from suite.infra.ports import LOOPBACK, free_port
from suite.infra.program import SuiteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "ejabberd with archive"
MISSING = "not installed; Debian packages ejabberd and erlang-p1-pgsql"
SCHEMA = Path("/usr/share/ejabberd/sql/pg.sql")
"""Where Debian puts it."""
SOCKETS = 5
WINDOWS = (16, 64, 256)
MAX_P99_MILLIS = 250.0
SETTLE_SECONDS = 10.0
CONFIGURATION = """
hosts: [localhost]
loglevel: warning
auth_method: [anonymous]
anonymous_protocol: login_anon
allow_multiple_connections: true
sql_type: pgsql
sql_server: {host}
sql_port: {sql_port}
sql_database: {database}
sql_username: {user}
sql_password: "{password}"
sql_pool_size: 16
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: false, backlog: 1024}}
modules:
  mod_mam: {{db_type: sql, default: always}}
  mod_stream_mgmt: {{}}
"""


@dataclass(frozen=True)
class Installed:
    """What is needed to run it without its own script."""

    erlang: str
    libraries: str
    """Where its own are."""
    schema: str
    """SQL of its tables."""


@cache
def installed() -> Installed | None:
    """Where it is on this machine."""
    control = shutil.which("ejabberdctl", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    erlang = shutil.which("erl")
    if control is None or erlang is None or not SCHEMA.exists():
        return None
    libraries = re.search(r"^ERL_LIBS='(.+)'$", Path(control).read_text(), re.MULTILINE)
    return Installed(erlang, libraries[1], SCHEMA.read_text()) if libraries else None


async def sends_per_second(superuser_url: str, workspaces: int, seconds: float) -> Limit:
    """The best of some windows that keeps p99 within 250 ms, as our own figure is."""
    if installed() is None:
        return Limit(NAME, None, MISSING)
    try:
        async with _running(superuser_url) as port:
            people = await _arrive(port, workspaces)
            try:
                found = [await _send(people, window, seconds) for window in WINDOWS]
            finally:
                people.hang_up()
    except (SuiteError, TimeoutError) as error:  # a rival's trouble is not ours
        return Limit(NAME, None, f"could not be measured: {str(error).partition(':')[0]}")
    kept = [one.per_second for one in found if one.p99_millis <= MAX_P99_MILLIS]
    return Limit(NAME, max(kept, default=None), "kept no window within 250 ms")


@dataclass(frozen=True)
class Found:
    """What a window gave."""

    per_second: float
    p99_millis: float


@dataclass(frozen=True)
class People:
    """Senders, and the receivers with their five sockets each."""

    senders: list[Client]
    receivers: list[Client]
    tally: Tally

    def hang_up(self) -> None:
        """All of them."""
        for client in (*self.senders, *self.receivers):
            client.transport.abort()


async def _arrive(port: int, workspaces: int) -> People:
    tally = Tally()

    async def one(user: str, resource: str) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: Client(user, resource, tally), LOOPBACK, port
        )
        await client.sign_in()
        return client

    receivers = await some_at_a_time(
        one(f"r{number}", f"{place}") for number in range(workspaces) for place in range(SOCKETS)
    )
    senders = await some_at_a_time(one(f"s{number}", "0") for number in range(workspaces))
    return People(senders, receivers, tally)


async def _send(people: People, window: int, seconds: float) -> Found:
    """Closed loop over all senders in turn."""
    began = time.perf_counter()
    sent = acknowledged = 0
    people.tally.begin()

    def send() -> None:
        nonlocal sent
        number = sent % len(people.senders)
        people.senders[number].send(f"r{number}")
        sent += 1

    def take_ack() -> None:
        nonlocal acknowledged
        acknowledged += 1
        if time.perf_counter() < began + seconds:
            send()

    for sender in people.senders:
        sender.on_ack = take_ack
    for _ in range(window):
        send()
    await asyncio.sleep(seconds)
    per_second = acknowledged / (time.perf_counter() - began)
    await people.tally.wait_for(sent * SOCKETS, SETTLE_SECONDS)
    return Found(per_second, percentile(people.tally.ages_millis, 0.99))


@asynccontextmanager
async def _running(superuser_url: str) -> AsyncIterator[int]:
    """The server with a database of its own; its port."""
    found = installed()
    if found is None:
        raise FileNotFoundError(MISSING)
    port = free_port()
    async with throwaway_database(superuser_url, found.schema) as url:
        with TemporaryDirectory(prefix="inbox-ejabberd-") as folder:
            command = [found.erlang, "-noshell", "-noinput", "+K", "true", "-mnesia", "dir"]
            command += [f'"{folder}/mnesia"', "-s", "ejabberd"]
            environment = {
                "PATH": "/usr/bin:/bin",
                "HOME": folder,
                "ERL_LIBS": found.libraries,
                "EJABBERD_CONFIG_PATH": str(_configured(Path(folder), url, port)),
                "EJABBERD_LOG_PATH": f"{folder}/ejabberd.log",
                "ERL_CRASH_DUMP_BYTES": "0",
            }
            async with running("ejabberd", command, Path(folder), port, environment):
                yield port


def _configured(folder: Path, database_url: str, port: int) -> Path:
    parts = urlsplit(database_url)
    file = folder / "ejabberd.yml"
    file.touch(mode=0o600)
    file.write_text(
        CONFIGURATION.format(
            host=parts.hostname,
            sql_port=parts.port,
            database=parts.path.lstrip("/"),
            user=parts.username,
            password=unquote(parts.password or ""),
            port=port,
        )
    )
    return file
