"""`./dev backup` and `./dev restore`: every database, every file, and the key that unlocks them.

The databases are dumped one after the other and the files last: a file is stored before the row
that names it, so every file a dumped row names is there. The services' databases may differ by
seconds; after a restore each has a new log epoch, so consumers rebuild from the owners' snapshots
and browsers load afresh, and nothing is silently skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import nats

from chassis.clock import SystemClock
from suite import databases, migrate
from suite.databases import DATABASES, ROLES, connected, with_database
from suite.datafolder import FORMAT, VERSION, DataFolder
from suite.infra.postgres import SUPERUSER, running_postgres
from suite.infra.program import SuiteError
from suite.infra.resolve import resolve_postgres
from suite.screen import Screen
from suite.settings import suite_settings
from suite.status import confirmed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

MANIFEST = "manifest.json"
TOOL_SECONDS = 6 * 3600
KEPT_SECRETS = ("master_key", "demo", "simulator_token", "simulator_webhook")
"""What the data needs to be of use; passwords and the service key belong to the machine."""
RESTORING = "restoring_"
NOT_DONE = 1


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL and the tools that fit it."""

    url: str
    tools: Path

    def run(self, tool: str, database: str, *arguments: str) -> None:
        """Run pg_dump or pg_restore against one database, the password by environment."""
        parts = urlsplit(self.url)
        done = subprocess.run(
            [
                self.tools / tool,
                f"--host={parts.hostname}",
                f"--port={parts.port or 5432}",
                f"--username={parts.username}",
                f"--dbname={database}",
                "--no-password",
                *arguments,
            ],
            env={"PATH": os.defpath, "PGPASSWORD": unquote(parts.password or ""), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise SuiteError(f"{tool} of {database} failed:\n{done.stderr.strip()}")


def run(options: argparse.Namespace) -> int:
    """Run one of the two; the exit code."""
    folder = DataFolder(options.data)
    file = options.file.absolute()
    if options.command == "backup":
        folder.require()
        if not (file.parent.is_dir() and os.access(file.parent, os.W_OK)):
            raise SuiteError(f"{file.parent} is no folder that this user may write to")
        return backup(folder, file)
    if not (file.is_file() and os.access(file, os.R_OK)):
        raise SuiteError(f"{file} is no file that this user may read")
    if not tarfile.is_tarfile(file):
        raise SuiteError(f"{file} is no backup of Inbox: it is no tar archive")
    folder.prepare()
    return restore(folder, file, sure=options.yes)


def backup(folder: DataFolder, file: Path) -> int:
    """Write everything into one archive, which appears under its name when it is complete."""
    screen = Screen()
    if file.exists():
        raise SuiteError(f"{file} exists; a backup never overwrites one")
    fresh = file.with_name(f"{file.name}.part")
    with (
        tempfile.TemporaryDirectory(prefix="inbox-backup-", dir=file.parent) as scratch,
        _postgres(folder, screen) as postgres,
    ):
        dumps = Path(scratch)
        for database in DATABASES:
            with screen.step(database.name):
                target = dumps / f"{database.name}.dump"
                postgres.run("pg_dump", database.name, "--format=custom", f"--file={target}")
        # Only its owner may read it: it holds what customers wrote.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with screen.step("files"), tarfile.open(fileobj=raw, mode="w") as archive:
                _add_manifest(archive, folder, dumps)
                for database in DATABASES:
                    archive.add(dumps / f"{database.name}.dump", f"{database.name}.dump")
                archive.add(folder.blobs, "blobs", filter=_only_files)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.rename(file)
    screen.say(f"Wrote {file} ({file.stat().st_size / 2**20:.1f} MiB).")
    return 0


def restore(folder: DataFolder, file: Path, *, sure: bool) -> int:
    """Replace all data by those of an archive; what there was stays until the new is complete."""
    screen = Screen()
    with folder.locked(), ExitStack() as stack:
        scratch = Path(stack.enter_context(_unpacked(folder, file, screen)))
        manifest = _checked_manifest(scratch, file)
        question = f"Replace all data in {folder.path} by the backup of {manifest['created']}?"
        if not sure and not confirmed(question):
            print("Nothing was changed.")
            return NOT_DONE
        postgres = stack.enter_context(_postgres(folder, screen))
        asyncio.run(_restore_databases(folder, postgres, scratch, screen))
        for name, value in manifest["secrets"].items():
            folder.set_secret(name, value)
        with screen.step("files"):
            shutil.rmtree(folder.blobs)
            (scratch / "blobs").rename(folder.blobs)
        with screen.step("event log emptied"):
            # It holds the epoch before; the relays write it again from the databases.
            shutil.rmtree(folder.path / "nats" / "jetstream", ignore_errors=True)
            external = suite_settings().nats_url
            if external:
                asyncio.run(_delete_streams(external))
    screen.say(f"Restored the backup of {manifest['created']}. Start it with `./dev up`.")
    return 0


async def new_log_epoch(database_url: str) -> None:
    """Tell everybody who follows this database's events that their positions are void."""
    async with connected(database_url) as connection:
        if await connection.fetchval("SELECT to_regclass('log_state')"):
            await connection.execute("UPDATE log_state SET log_epoch = gen_random_uuid()::text")


async def _restore_databases(
    folder: DataFolder, postgres: Postgres, scratch: Path, screen: Screen
) -> None:
    passwords = {
        database.role(kind): folder.secret(f"role.{database.role(kind)}")
        for database in DATABASES
        for kind in ROLES
    }
    async with connected(postgres.url) as connection:
        for database in DATABASES:
            with screen.step(database.name):
                fresh = f"{RESTORING}{database.name}"
                await databases.create_roles(connection, database, passwords)
                await connection.execute(f"DROP DATABASE IF EXISTS {fresh} WITH (FORCE)")
                await databases.create_database(connection, postgres.url, database, name=fresh)
                dump = scratch / f"{database.name}.dump"
                await asyncio.to_thread(
                    postgres.run, "pg_restore", fresh, "--exit-on-error", str(dump)
                )
                await new_log_epoch(with_database(postgres.url, fresh))
        # Only now, with every new one complete, the old ones go.
        for database in DATABASES:
            await connection.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")
            await connection.execute(
                f"ALTER DATABASE {RESTORING}{database.name} RENAME TO {database.name}"
            )
    with screen.step("migrations"):
        await migrate.migrate_all(postgres.url, passwords)


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        context = client.jetstream()
        for stream in await context.streams_info():
            if (stream.config.name or "").startswith("INBOX_"):
                await context.delete_stream(stream.config.name or "")
    finally:
        await client.close()


@contextmanager
def _postgres(folder: DataFolder, screen: Screen) -> Iterator[Postgres]:
    """The folder's PostgreSQL: the running one, or one started for the length of the block."""
    external = suite_settings().database_url
    if external:
        yield Postgres(external, resolve_postgres().path.parent)
        return
    version = folder.path / "postgres" / "data" / "PG_VERSION"
    major = int(version.read_text()) if version.exists() else None
    password = folder.secret("postgres")
    port = folder.known_port("postgres")
    run = folder.read_run() or {}
    if port and run.get("processes", {}).get("postgres", {}).get("state") == "running":
        url = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
        yield Postgres(url, resolve_postgres(major).path.parent)
        return
    with ExitStack() as stack:
        with screen.step("PostgreSQL"):
            server = stack.enter_context(
                running_postgres(folder.path / "postgres", password=password)
            )
        yield Postgres(server.url, server.binary.path.parent)


@contextmanager
def _unpacked(folder: DataFolder, file: Path, screen: Screen) -> Iterator[str]:
    # Beside the data, so that files are moved, not copied.
    with tempfile.TemporaryDirectory(prefix="restore-", dir=folder.path) as scratch:
        with screen.step("archive unpacked"):
            try:
                with tarfile.open(file) as archive:
                    archive.extractall(scratch, members=_expected(archive))  # noqa: S202 - checked
            except tarfile.TarError as error:
                raise SuiteError(f"{file} is no backup of Inbox: {error}") from error
        yield scratch


def _expected(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Only what a backup is made of, so that a foreign archive cannot write anywhere else."""
    for entry in archive:
        path = PurePosixPath(entry.name)
        is_ours = path.parts[0] in {"blobs", MANIFEST} or path.suffix == ".dump"
        if path.is_absolute() or ".." in path.parts or not is_ours or not _only_files(entry):
            raise SuiteError(f"the archive holds {entry.name}, which no backup of Inbox does")
        yield entry


def _add_manifest(archive: tarfile.TarFile, folder: DataFolder, scratch: Path) -> None:
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "created": SystemClock().now().isoformat(timespec="seconds"),
        "secrets": {name: folder.secret(name) for name in KEPT_SECRETS},
    }
    written = scratch / MANIFEST
    written.write_text(json.dumps(manifest, indent=1))
    archive.add(written, MANIFEST)


def _checked_manifest(scratch: Path, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((scratch / MANIFEST).read_text())
    except (FileNotFoundError, ValueError) as error:
        raise SuiteError(f"{file} is no backup of Inbox: it has no manifest") from error
    if manifest["format"] > FORMAT:
        raise SuiteError(f"{file} was made by a newer Inbox: use version {manifest['version']}")
    missing = [d.name for d in DATABASES if not (scratch / f"{d.name}.dump").exists()]
    if missing or not (scratch / "blobs").is_dir():
        raise SuiteError(f"{file} is incomplete: {', '.join(missing) or 'its files'} are missing")
    return manifest


def _only_files(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Folders and finished files; an upload under way has no row yet."""
    return entry if entry.isdir() or entry.isfile() else None
