"""Real servers for tests: one PostgreSQL and one nats-server, shared by every test process.

    @pytest.fixture(scope="session")
    def servers() -> Iterator[TestServers]:
        with test_servers() as servers:
            yield servers

    @pytest.fixture(scope="module")
    def database(servers: TestServers) -> Iterator[DatabaseUrls]:
        with fresh_database(servers, "identity") as urls:
            yield urls

    @pytest.fixture(scope="module")
    def nats_url(servers: TestServers) -> str:
        return fresh_nats_url(servers)

All calls are synchronous, so they fit fixtures that run outside an event loop. The servers belong
to a process of their own, which ends when the last test process that uses them has ended, also
by a kill. INBOX_TEST_DATABASE_URL and INBOX_TEST_NATS_URL name servers that run already;
`./dev test` sets them once for all tiers. PostgreSQL runs without fsync here: tests about
crashes start their own by `suite.infra.running_postgres(..., fsync=True)`.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import nats
from nats.js.errors import NotFoundError

from suite import databases
from suite.databases import DatabaseUrls, ServiceDatabase, connected
from suite.infra import SuiteError, running_nats, running_postgres
from suite.infra.nats import test_account
from suite.infra.program import Deadline, last_lines
from suite.settings import ROOT, python_environment, python_program, suite_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

Result = TypeVar("Result")

START_WITHIN = timedelta(seconds=90)
MIGRATE_SECONDS = 120
POLL_SECONDS = 0.05
IDLE_POLL_SECONDS = 0.5
ACCOUNTS = 512
PASSWORD = "test"  # noqa: S105 - of throw-away roles on loopback
MAX_CONNECTIONS = 500
TEMPLATE_LOCK = 0x1B0C6
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder inside is made for its owner only
ROOM_BYTES = 4 * 2**30


@dataclass(frozen=True, kw_only=True)
class TestServers:
    """The addresses of the servers tests share."""

    __test__ = False

    database_url: str
    """As a superuser."""
    nats_url: str
    """Without credentials: fresh_nats_url gives each module an account of its own."""


@contextmanager
def test_servers() -> Iterator[TestServers]:
    """The shared servers, started if nobody has yet; kept alive for the length of the block."""
    settings = suite_settings()
    if settings.test_database_url and settings.test_nats_url:
        yield TestServers(database_url=settings.test_database_url, nats_url=settings.test_nats_url)
        return
    folder = _shared_folder()
    with (folder / "users.lock").open("a") as users:
        # Shared: while any test process holds it, the servers stay.
        fcntl.flock(users, fcntl.LOCK_SH)
        yield _find_or_start(folder)


test_servers.__test__ = False  # type: ignore[attr-defined]


@contextmanager
def fresh_database(
    servers: TestServers, service: str, migrate: Callable[[str], None] | None = None
) -> Iterator[DatabaseUrls]:
    """A migrated database nobody else uses, copied from a template and dropped afterwards.

    `migrate` brings an empty database, given by its owner's address, to the newest schema;
    without it the service's own migrations do.
    """
    database = databases.database_of(service)
    urls = run_blocking(_create(servers, database, migrate))
    try:
        yield urls
    finally:
        run_blocking(_drop(servers, urls.name))


def fresh_nats_url(servers: TestServers) -> str:
    """The address of a NATS account without streams that nobody else uses."""
    return run_blocking(_take_account(servers))


def run_blocking(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a thread of its own, whatever loop this thread may have."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _create(
    servers: TestServers, database: ServiceDatabase, migrate: Callable[[str], None] | None
) -> DatabaseUrls:
    passwords = {database.role(kind): PASSWORD for kind in databases.ROLES}
    template = f"template_{database.service}_{_schema_digest(database.service, migrate)}"
    async with connected(servers.database_url) as connection:
        # One process makes the template, the others wait for it here.
        await connection.execute("SELECT pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not await _exists(connection, template):
            await _make_template(connection, servers, database, template, migrate)
        await connection.execute("SELECT pg_advisory_unlock($1)", TEMPLATE_LOCK)
        name = f"test_{database.service}_{await _next_number(connection)}"
        # Whole files: without fsync that costs half of what going through the buffers does.
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        # Privileges on a database are not copied with it.
        await databases.let_in(connection, database, name)
    return databases.urls(servers.database_url, database, passwords, name=name)


async def _make_template(
    connection: asyncpg.Connection,
    servers: TestServers,
    database: ServiceDatabase,
    template: str,
    migrate: Callable[[str], None] | None,
) -> None:
    passwords = {database.role(kind): PASSWORD for kind in databases.ROLES}
    making = f"making_{database.service}"
    await databases.create_roles(connection, database, passwords)
    await connection.execute(f"DROP DATABASE IF EXISTS {making} WITH (FORCE)")
    await databases.create_database(connection, servers.database_url, database, name=making)
    url = databases.urls(servers.database_url, database, passwords, name=making).owner
    await asyncio.to_thread(migrate or _migrations_of(database.service), url)
    await connection.execute(f"ALTER DATABASE {making} RENAME TO {template}")


def _migrations_of(service: str) -> Callable[[str], None]:
    # Here, because `./dev test` loads this module and migrates nothing.
    from chassis.migrations import migrate as bring_up_to_date  # noqa: PLC0415

    def migrate(owner_url: str) -> None:
        asyncio.run(asyncio.wait_for(bring_up_to_date(owner_url, service), MIGRATE_SECONDS))

    return migrate


def _schema_digest(service: str, migrate: Callable[[str], None] | None) -> str:
    """Changes whenever a migration, or what runs migrations, does."""
    digest = hashlib.sha256()
    files = [*(ROOT / "services" / service / "migrations").rglob("*.py")]
    files += (ROOT / "chassis").glob("**/*migration*.py")
    if migrate is not None:
        # Another schema than the service's own: it must not become the service's template.
        digest.update(f"{migrate.__module__}.{migrate.__qualname__}".encode())
        files += Path(inspect.getfile(migrate)).parent.rglob("*.py")
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


async def _drop(servers: TestServers, name: str) -> None:
    async with connected(servers.database_url) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _take_account(servers: TestServers) -> str:
    async with connected(servers.database_url) as connection:
        number = await _next_number(connection)
    parts = urlsplit(servers.nats_url)
    name = test_account(number % ACCOUNTS)
    url = f"nats://{name}:{name}@{parts.hostname}:{parts.port}"
    client = await nats.connect(url, allow_reconnect=False)
    try:
        # An account comes round again after ACCOUNTS modules.
        context = client.jetstream()
        for stream in await context.streams_info():
            with suppress(NotFoundError):
                await context.delete_stream(stream.config.name or "")
    finally:
        await client.close()
    return url


async def _exists(connection: asyncpg.Connection, name: str) -> bool:
    found = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    return bool(found)


async def _next_number(connection: asyncpg.Connection) -> int:
    # Of two that create it at once, one sees a duplicate in PostgreSQL's own catalogue.
    with suppress(asyncpg.UniqueViolationError):
        await connection.execute("CREATE SEQUENCE IF NOT EXISTS inbox_test_number")
    number: int = await connection.fetchval("SELECT nextval('inbox_test_number')")
    return number


def _shared_folder() -> Path:
    """One per checkout and user: two test runs side by side share the servers, not the data."""
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"inbox-tests-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise SuiteError(f"{folder} belongs to another user; remove it or set TMPDIR")
    return folder


def _find_or_start(folder: Path) -> TestServers:
    addresses = folder / "servers.json"
    with (folder / "start.lock").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not _is_locked(folder / "holder.lock"):
            addresses.unlink(missing_ok=True)
            _start_holder(folder, addresses)
        return TestServers(**json.loads(addresses.read_text()))


def _start_holder(folder: Path, addresses: Path) -> None:
    log = folder / "holder.log"
    with log.open("wb") as output:
        holder = subprocess.Popen(
            [python_program(), "-m", "suite.testing", str(folder)],
            env=python_environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = Deadline(START_WITHIN)
    while not addresses.exists():
        if holder.poll() is not None or deadline.is_over:
            raise SuiteError(f"the servers for tests did not start:\n{last_lines(log, 40)}")
        time.sleep(POLL_SECONDS)
    # It outlives this process on purpose; nobody here waits for it.
    holder.returncode = 0


def _is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def hold(folder: Path) -> None:
    """Run the servers until no test process uses them; the holder's whole life."""
    with (
        (folder / "holder.lock").open("a") as holder,
        (folder / "users.lock").open("a") as users,
    ):
        fcntl.flock(holder, fcntl.LOCK_EX)
        with running_shared_servers() as servers:
            written = folder / "servers.json.new"
            written.touch(mode=0o600)
            written.write_text(json.dumps(asdict(servers)))
            written.rename(folder / "servers.json")
            while True:
                time.sleep(IDLE_POLL_SECONDS)
                with suppress(BlockingIOError):
                    # Exclusive only when the last user has gone; a new one waits until we have.
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break


@contextmanager
def running_shared_servers() -> Iterator[TestServers]:
    """PostgreSQL without fsync and a nats-server with many accounts, in a scratch folder."""
    with (
        tempfile.TemporaryDirectory(prefix="inbox-test-servers-", dir=_memory()) as scratch,
        running_postgres(
            Path(scratch) / "postgres", max_connections=MAX_CONNECTIONS, fsync=False
        ) as postgres,
        running_nats(Path(scratch) / "nats", account_count=ACCOUNTS) as server,
    ):
        yield TestServers(database_url=postgres.url, nats_url=server.url)


def _memory() -> Path | None:
    """A file system in memory with room, where nothing that tests keep needs a disk.

    A copy of a database is a thousand files, and on a disk making them is most of its cost.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room and os.access(MEMORY, os.W_OK) else None


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
