"""`./dev check`: everything about the code that needs no running server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from suite import web
from suite.screen import Screen
from suite.settings import ROOT, python_environment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

TOOLS = Path(sys.executable).parent
CHECK_SECONDS = 600
WEB_LOG = ROOT / "test-results" / "web-packages.log"


@dataclass(frozen=True)
class Check:
    """One tool and what it looks after."""

    label: str
    command: tuple[str, ...]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=python_environment, repr=False)


@dataclass(frozen=True)
class Outcome:
    """What a check said."""

    check: Check
    code: int
    output: str
    seconds: float


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(TOOLS / name), *arguments)


# The slowest first, so that the others run beside it.
CHECKS = (
    Check("types (mypy --strict)", _tool("mypy")),
    Check("imports (import-linter)", _tool("lint-imports")),
    Check("generated code is current", (sys.executable, "tools/generate_protos.py", "--check")),
    Check("documentation is current", (sys.executable, "tools/generate_docs.py", "--check")),
    Check("contracts (buf lint)", _tool("buf", "lint")),
    Check("lint (ruff)", _tool("ruff", "check")),
    Check("format (ruff)", _tool("ruff", "format", "--check")),
)


def run(_: argparse.Namespace) -> int:
    """Run every check; 1 when one of them complains."""
    screen = Screen()
    return 0 if run_checks(screen) else 1


WEB_SCRIPTS = {
    ("typecheck",): "web: types (tsc)",
    ("lint",): "web: format and lint (biome)",
    ("generate:check",): "web: generated code is current",
    ("test", "--", "--passWithNoTests"): "web: rules (vitest)",
}


def web_checks(screen: Screen) -> list[Check]:
    """What the web client brings along: the scripts of its package.json."""
    if not web.is_present():
        return []
    node = web.find_node()
    with screen.step("web: packages"):
        asyncio.run(web.install_packages(node, WEB_LOG, with_tools=True))
    return [
        Check(label, (*node.npm, "run", "--silent", *script), web.WEB, node.environment)
        for script, label in WEB_SCRIPTS.items()
    ]


def run_checks(screen: Screen) -> bool:
    """Run every check, as many at once as there are cores; the complaints come at the end."""
    checks = [*CHECKS, *web_checks(screen)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        complaints = []
        for outcome in pool.map(_run_check, checks):
            if outcome.code == 0:
                screen.done(outcome.check.label, outcome.seconds)
            else:
                screen.failed(outcome.check.label, outcome.seconds)
                complaints.append(outcome)
    for outcome in complaints:
        command = " ".join([Path(outcome.check.command[0]).name, *outcome.check.command[1:]])
        screen.say(f"\n{screen.bold(outcome.check.label)}: {command}\n{outcome.output.rstrip()}")
    return not complaints


def _run_check(check: Check) -> Outcome:
    began = time.monotonic()
    try:
        done = subprocess.run(
            check.command,
            cwd=check.folder,
            env=check.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
        code, output = done.returncode, done.stdout + done.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        code, output = 1, str(error)
    return Outcome(check, code, output, time.monotonic() - began)
