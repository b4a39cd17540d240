"""`./dev test`, `./dev faults` and `./dev bench`: pytest and benchmarks against real servers.

Every tier is one pytest run over tests/<tier>/, timed against a budget. The tiers share one
PostgreSQL and one nats-server; tests that break servers start their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from suite import chromium, fault_tests
from suite.checks import run_checks
from suite.commandline import TIERS
from suite.infra.program import SuiteError, kill_group
from suite.screen import Screen
from suite.settings import ROOT, python_environment, suite_settings
from suite.testing import running_shared_servers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

CHECK = "check"
NO_TESTS = 5
"""pytest's exit code when it found nothing to run."""
OVER_BUDGET = 2
"""A tier that takes this many times its budget hangs, and is ended."""
CLEAN_UP_SECONDS = 15
FULL_FAULTS_WITHIN = timedelta(hours=1)
RESULTS = ROOT / "test-results"
ORDER = ("architecture", "unit", CHECK, "service", "system", "faults", "web")
"""The quickest news first."""
BUDGETS = {
    "architecture": timedelta(minutes=1),
    "unit": timedelta(minutes=1),
    CHECK: timedelta(minutes=2),
    "service": timedelta(minutes=4),
    "system": timedelta(minutes=4),
    "faults": timedelta(minutes=3),
    "web": timedelta(minutes=8),
}
"""On 2 cores."""
AT_ONCE = {"service": 2}
"""How many files a core runs at once, else one: these wait for disks, sockets and clocks.
Files share nothing; what a tier shares, each of its workers has for itself."""
NEEDS_SERVERS = frozenset({"service", "system", "faults", "web"})


@dataclass(kw_only=True)
class Result:
    """How a tier went."""

    tier: str
    seconds: float
    ok: bool
    note: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_over_budget(self) -> bool:
        """Whether it took longer than it may."""
        return self.seconds > BUDGETS[self.tier].total_seconds()


def run(options: argparse.Namespace) -> int:
    """Run one of the three commands; its exit code."""
    if options.command == "bench":
        return _bench()
    if options.command == "faults":
        return _faults(options)
    screen = Screen()
    unknown = sorted(set(options.tiers) - {*TIERS, CHECK})
    if unknown:
        raise SuiteError(f"no tier {', '.join(unknown)}; there is {', '.join(TIERS)}, {CHECK}")
    chosen = [tier for tier in ORDER if tier in (options.tiers or ORDER)]
    if options.rest and CHECK in chosen and not options.tiers:
        chosen.remove(CHECK)  # options for pytest were given: it is the tests that are wanted
    began = time.monotonic()
    with ExitStack() as stack:
        environment = _with_servers(stack, screen, chosen)
        results = [
            _check(screen) if tier == CHECK else _tier(screen, tier, options, environment)
            for tier in chosen
        ]
    return _summary(screen, results, time.monotonic() - began)


def _with_servers(stack: ExitStack, screen: Screen, chosen: list[str]) -> dict[str, str]:
    """The environment of the tests, with the servers they share."""
    environment = python_environment()
    settings = suite_settings()
    if NEEDS_SERVERS.isdisjoint(chosen):
        return environment
    if settings.test_database_url and settings.test_nats_url:
        environment["INBOX_TEST_DATABASE_URL"] = settings.test_database_url
        environment["INBOX_TEST_NATS_URL"] = settings.test_nats_url
        return environment
    with screen.step("PostgreSQL and NATS for the tests"):
        servers = stack.enter_context(running_shared_servers())
    environment["INBOX_TEST_DATABASE_URL"] = servers.database_url
    environment["INBOX_TEST_NATS_URL"] = servers.nats_url
    return environment


def _tier(
    screen: Screen, tier: str, options: argparse.Namespace, environment: Mapping[str, str]
) -> Result:
    screen.say(f"\n{screen.bold(tier)}")
    began = time.monotonic()
    folder = ROOT / "tests" / tier
    if not folder.is_dir():
        return Result(tier=tier, seconds=0.0, ok=True, note="no tests yet")
    told = dict(environment)
    if tier == "web":
        try:
            told["CHROMIUM"] = str(chromium.find_or_install(screen))
        except SuiteError as error:
            screen.say(str(error))
            return Result(tier=tier, seconds=time.monotonic() - began, ok=False, note="no browser")
    report = RESULTS / f"{tier}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", "pytest", str(folder), "-q", f"--junitxml={report}"]
    # Which tests a tier's budget goes to.
    command += ["--durations=5", "--durations-min=5"]
    if "-n" not in options.rest:
        workers = (os.cpu_count() or 2) * AT_ONCE.get(tier, 1)
        command += ["-n", str(workers), "--dist", "loadfile"]
    if options.ci:
        command += ["--color=no", "-o", "console_output_style=classic"]
    code, hung = _pytest([*command, *options.rest], told, BUDGETS[tier])
    ok = code in (0, NO_TESTS)
    return Result(
        tier=tier,
        seconds=time.monotonic() - began,
        ok=ok,
        note=f"ended after {OVER_BUDGET} times its budget" if hung else "",
        counts=_counts(report),
    )


def _pytest(
    command: list[str], environment: Mapping[str, str], budget: timedelta
) -> tuple[int, bool]:
    """Run pytest to its end or to twice its budget; its exit code, and whether it hung."""
    with subprocess.Popen(command, cwd=ROOT, env=environment, process_group=0) as process:
        try:
            return process.wait(budget.total_seconds() * OVER_BUDGET), False
        except subprocess.TimeoutExpired:
            _end(process)
            return 1, True
        except KeyboardInterrupt:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let pytest clean up its servers, then end what is left."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(CLEAN_UP_SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        process.wait()


def _counts(report: Path) -> dict[str, int]:
    """passed, failed and skipped, from pytest's own report."""
    if not report.exists():
        return {}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - pytest wrote it
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        counts["failed"] += failed
        counts["skipped"] += skipped
        counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
    return counts


def _check(screen: Screen) -> Result:
    screen.say(f"\n{screen.bold(CHECK)}")
    began = time.monotonic()
    ok = run_checks(screen)
    return Result(tier=CHECK, seconds=time.monotonic() - began, ok=ok)


def _summary(screen: Screen, results: list[Result], seconds: float) -> int:
    """One line per tier; 1 when any failed or took too long."""
    screen.say("")
    for result in results:
        notes = [f"{number} {word}" for word, number in result.counts.items() if number]
        notes += [result.note] if result.note else []
        if result.is_over_budget:
            notes.append(f"over its budget of {BUDGETS[result.tier].total_seconds():.0f} s")
        if result.ok and not result.is_over_budget:
            screen.done(result.tier, result.seconds, ", ".join(notes))
        else:
            screen.failed(result.tier, result.seconds, ", ".join(notes))
    failed = [result.tier for result in results if not result.ok or result.is_over_budget]
    if failed:
        screen.say(screen.red(f"Failed: {', '.join(failed)}") + f"  ({seconds:.0f} s)")
        return 1
    screen.say(screen.green("All tiers passed") + f"  ({seconds:.0f} s)")
    return 0


def _faults(options: argparse.Namespace) -> int:
    """Every fault test with its full figures."""
    chosen = fault_tests.targets(options.names)
    environment = python_environment() | fault_tests.FULL_FORM
    command = [sys.executable, "-P", "-m", "pytest", *chosen, "-v", "-s", *options.rest]
    code, _ = _pytest(command, environment, FULL_FAULTS_WITHIN)
    return code


def _bench() -> int:
    """The benchmarks; each prints its figure, its limit and the ratio."""
    if not (ROOT / "bench" / "__main__.py").exists():
        raise SuiteError("this checkout has no benchmarks (bench/__main__.py)")
    # It reads the same command line: what stands behind `./dev bench`.
    command = [sys.executable, "-P", "-m", "bench", *sys.argv[2:]]
    # The load client starts programs while its gRPC threads run; gRPC need not follow them.
    environment = python_environment() | {"GRPC_ENABLE_FORK_SUPPORT": "0"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
