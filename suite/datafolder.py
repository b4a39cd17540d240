"""The data folder: its lock, its format's version, its secrets and its ports."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from suite.infra.ports import free_port, is_free
from suite.infra.program import Deadline, SuiteError, kill_group, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import TextIOWrapper
    from pathlib import Path

FORMAT = 1
"""Raised when an older checkout could no longer work with the folder."""
VERSION = "0.1"
"""The first version of Inbox that writes this FORMAT; named to those who have an older one."""
LEFTOVERS_WITHIN = timedelta(seconds=12)
KEY_BYTES = 32


class DataFolder:
    """One suite's data. Everything in it belongs to one `./dev up` at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def logs(self) -> Path:
        """Where every process writes what it has to say."""
        return self.path / "logs"

    @property
    def blobs(self) -> Path:
        """Where media keeps files."""
        return self.path / "blobs"

    def log_of(self, name: str) -> Path:
        """One process's log."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folder, or check that this version understands it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.logs, self.blobs):
                part.mkdir(mode=0o700, exist_ok=True)
            self._check_version()
        except (FileExistsError, NotADirectoryError) as error:
            raise SuiteError(f"{self.path} cannot be the data folder: a file is there") from error
        except PermissionError as error:
            raise SuiteError(
                f"cannot use the data folder {self.path}: {error.strerror}.\n"
                "It may belong to another user; use --data DIR for one of your own."
            ) from error

    def exists(self) -> bool:
        """Whether there is anything in it to read."""
        return (self.path / "version").exists()

    def require(self) -> None:
        """Refuse to go on where nothing was ever started."""
        if not self.exists():
            raise SuiteError(f"there is no data in {self.path}; `./dev up` makes it")
        self._check_version()

    def _check_version(self) -> None:
        file = self.path / "version"
        if not file.exists():
            if any((self.path / name).exists() for name in ("postgres", "secrets.json")):
                raise SuiteError(f"{self.path} holds data without a version file; not touching it")
            file.write_text(f"{FORMAT} {VERSION}\n")
            return
        number, _, version = file.read_text().strip().partition(" ")
        if not number.isdecimal() or int(number) > FORMAT:
            raise SuiteError(
                f"{self.path} was written by a newer Inbox: use version {version or number} or "
                f"newer (`git pull`), or another folder with --data DIR."
            )

    @contextmanager
    def locked(self, say: Callable[[str], None] = print) -> Iterator[int]:
        """Own the folder for the length of a block; `say` tells what is being waited for.

        Gives a file descriptor for every child to keep open: its lock tells the next start
        whether all processes of this one have ended, also when this one was killed.
        """
        with (self.path / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SuiteError(self._who_runs()) from None
            with (self.path / "children.lock").open("a") as children:
                self._wait_for_leftovers(children, say)
                try:
                    yield children.fileno()
                finally:
                    self._run_file.unlink(missing_ok=True)

    @property
    def is_running(self) -> bool:
        """Whether some process owns the folder now."""
        try:
            with (self.path / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    def _who_runs(self) -> str:
        run = self.read_run() or {}
        who = f"process {run['pid']}" if "pid" in run else "another process"
        where = f" at {run['url']}" if run.get("url") else ""
        since = f", started {run['started']}" if run.get("started") else ""
        stop = f"kill {run['pid']}" if "pid" in run else "Ctrl-C"
        return (
            f"Inbox already runs on {self.path}: {who}{where}{since}.\n"
            f"Stop it with Ctrl-C in its terminal or `{stop}`, or start a second suite beside it "
            f"with --data DIR --port N."
        )

    def _wait_for_leftovers(self, children: TextIOWrapper, say: Callable[[str], None]) -> None:
        """Let the children of a killed start drain, and end those that do not."""
        if _took(children, timedelta(0)):
            return
        say("The last start was killed; waiting for its processes to end …")
        if _took(children, LEFTOVERS_WITHIN):
            return
        for process in (self.read_run() or {}).get("processes", {}).values():
            if process.get("pid"):
                kill_group(process["pid"])
        if _took(children, LEFTOVERS_WITHIN):
            return
        raise SuiteError(
            f"processes of an earlier start still use {self.path} and do not end; "
            f"`fuser {self.path}/children.lock` names them"
        )

    @property
    def _run_file(self) -> Path:
        return self.path / "run.json"

    def read_run(self) -> dict[str, Any] | None:
        """What the running (or last killed) suite said of itself."""
        with suppress(FileNotFoundError, ValueError):
            run: dict[str, Any] = json.loads(self._run_file.read_text())
            return run
        return None

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Say what runs, for `status` and for the next start."""
        self._write_private("run.json", run)

    def secret(self, name: str) -> str:
        """A secret of this folder, made when first asked for."""
        known = self._read_json("secrets.json")
        if name not in known:
            known[name] = _new_secret(name)
            self._write_private("secrets.json", known)
        return str(known[name])

    def set_secret(self, name: str, value: str) -> None:
        """Take over a secret, as from a backup."""
        self._write_private("secrets.json", self._read_json("secrets.json") | {name: value})

    def port(self, name: str, taken: frozenset[int] = frozenset()) -> int:
        """The port a process had last time, or a free one when that is taken by now."""
        known = {key: int(value) for key, value in self._read_json("ports.json").items()}
        port = known.get(name)
        if port is None or port in taken or not is_free(port):
            known[name] = port = free_port(frozenset(known.values()) | taken)
            self._write_private("ports.json", known)
        return port

    def known_port(self, name: str) -> int | None:
        """The port a process has or had, if it ever had one."""
        port = self._read_json("ports.json").get(name)
        return None if port is None else int(port)

    def wipe(self) -> None:
        """Delete everything in the folder and the folder itself."""
        with self.locked():
            for entry in self.path.iterdir():
                if entry.name == "lock":
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        shutil.rmtree(self.path)

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        return content

    def _write_private(self, name: str, content: Mapping[str, Any]) -> None:
        fresh = self.path / f"{name}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            # A master key lost to a power cut would lock the data it protects.
            os.fsync(file.fileno())
        fresh.rename(self.path / name)


def _took(lock: TextIOWrapper, within: timedelta) -> bool:
    """Take a lock if it becomes free in time."""
    deadline = Deadline(within)
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if deadline.is_over:
            return False
        pause()


def _new_secret(name: str) -> str:
    if name == "master_key":
        return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    if name == "service_key":
        return f"service.{secrets.token_urlsafe(KEY_BYTES)}"
    return secrets.token_urlsafe(24)
