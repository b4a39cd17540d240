"""One service's database on a PostgreSQL of its own, and what questions to it take."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter, process_time

from bench.report import percentile
from chassis.database import DatabaseUnavailable
from chassis.migrations import migrate
from suite.databases import (
    ROLES,
    DatabaseUrls,
    connected,
    create_database,
    create_roles,
    database_of,
    urls,
    with_database,
)
from suite.infra import running_postgres

Ask = Callable[[], Awaitable[object]]
WARM_UP_SHARE = 10
"""One question of so many is asked beforehand and does not count."""
MIN_WARM_UP = 10
MAX_SECONDS = 15
"""A series that takes longer is cut short."""


@dataclass(frozen=True)
class Server:
    """Where the database is."""

    urls: DatabaseUrls
    superuser_url: str
    postmaster: int
    """PostgreSQL's process."""


@dataclass(frozen=True)
class Asked:
    """What some questions took."""

    ages: list[float]
    own_cpus: list[float]
    their_cpus: list[float]
    """Seconds of each question, here and there: they tell something on a busy machine too."""

    def millis(self, share: float) -> float:
        return percentile(self.ages, share) * 1e3

    def cpu_millis(self, share: float) -> float:
        """Here and in PostgreSQL together: what a calm machine would need at least."""
        both = [own + their for own, their in zip(self.own_cpus, self.their_cpus, strict=True)]
        return percentile(both, share) * 1e3

    @property
    def own_cpu(self) -> float:
        return mean(self.own_cpus)

    @property
    def their_cpu(self) -> float:
        return mean(self.their_cpus)


@contextmanager
def database_alone(service: str) -> Iterator[Server]:
    """A service's database as a user has it: its roles, its migrations, fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="inbox-bench-") as folder,
        running_postgres(Path(folder) / "postgres", fsync=True) as server,
    ):
        made = asyncio.run(_prepared(server.url, service))
        postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        yield Server(made, with_database(server.url, made.name), postmaster)


async def _prepared(superuser_url: str, service: str) -> DatabaseUrls:
    database = database_of(service)
    passwords = {database.role(kind): "bench" for kind in ROLES}
    async with connected(superuser_url) as connection:
        await create_roles(connection, database, passwords)
        await create_database(connection, superuser_url, database)
    made = urls(superuser_url, database, passwords)
    await migrate(made.owner, service)
    return made


async def timed(server: Server, ask: Ask, count: int) -> Asked:
    """Ask so often, one after the other, after a few that do not count."""
    await _asked(server, ask, min(count, max(MIN_WARM_UP, count // WARM_UP_SHARE)))
    return await _asked(server, ask, count)


async def _asked(server: Server, ask: Ask, count: int) -> Asked:
    """A question that was given up took as long as was waited for it."""
    asked = Asked([], [], [])
    ends_by = perf_counter() + MAX_SECONDS
    while len(asked.ages) < count and perf_counter() < ends_by:
        theirs, own, began = _children_seconds(server.postmaster), process_time(), perf_counter()
        with suppress(DatabaseUnavailable):
            await ask()
        asked.ages.append(perf_counter() - began)
        asked.own_cpus.append(process_time() - own)
        asked.their_cpus.append(_children_seconds(server.postmaster) - theirs)
    return asked


def _children_seconds(pid: int) -> float:
    """What a process's children that live have used so far, to the microsecond."""
    used = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):
            used += int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
    return used / 1e9


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used so far; children that ended are its own."""
    used = 0
    for one in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15] if one == pid else fields[11:13]))
    return used / os.sysconf("SC_CLK_TCK")
