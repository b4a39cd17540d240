"""What the suite reads from its environment; nothing else in suite/ does.

Three addresses let a machine bring its own servers instead of the pinned ones:
INBOX_SUITE_DATABASE_URL (a superuser's), INBOX_SUITE_NATS_URL and INBOX_SUITE_ENVOY (a program).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """Where the real servers and tools are, when the machine brings its own."""

    database_url: str | None
    """A PostgreSQL superuser's address; then no PostgreSQL is started here."""
    nats_url: str | None
    """A NATS address that may create streams; then no nats-server is started here."""
    envoy: str | None
    """An Envoy program."""
    test_database_url: str | None
    """A throw-away PostgreSQL for tests, as a superuser; set once by `./dev test`."""
    test_nats_url: str | None
    """A throw-away NATS for tests, `nats://host:port`; set once by `./dev test`."""
    chromium: str | None
    """A Chromium or Chrome program for the browser tests."""


def suite_settings() -> SuiteSettings:
    """The settings as the environment has them now."""
    environment = process_environment()
    return SuiteSettings(
        database_url=environment.get("INBOX_SUITE_DATABASE_URL") or None,
        nats_url=environment.get("INBOX_SUITE_NATS_URL") or None,
        envoy=environment.get("INBOX_SUITE_ENVOY") or None,
        test_database_url=environment.get("INBOX_TEST_DATABASE_URL") or None,
        test_nats_url=environment.get("INBOX_TEST_NATS_URL") or None,
        chromium=environment.get("CHROMIUM") or None,
    )


def process_environment() -> dict[str, str]:
    """A copy of this process's environment, to start programs with."""
    return dict(os.environ)  # noqa: TID251 - this is the suite's settings module


def replace_environment(environment: Mapping[str, str]) -> None:
    """Have exactly this environment from now on."""
    os.environ.clear()  # noqa: TID251 - this is the suite's settings module
    os.environ.update(environment)  # noqa: TID251


def python_environment() -> dict[str, str]:
    """The environment of a Python program of this checkout: its modules can be imported.

    Other INBOX_ variables are left out: a value from the caller's shell must not reach one
    service and not another.
    """
    environment = {
        name: value
        for name, value in process_environment().items()
        if not name.startswith("INBOX_")
    }
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "gen")])
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def python_program() -> str:
    """The interpreter that runs the services: the one that runs this."""
    return sys.executable
