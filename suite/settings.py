"""What the suite reads from its environment; nothing else in suite/ does.

docs/settings.md is made from the two tables here and from the services' settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable."""

    name: str
    meaning: str
    unit: str = "text"
    default: str = ""
    is_secret: bool = False


VARIABLE = "variable"


def read_from(name: str, meaning: str, *, unit: str, is_secret: bool = False) -> Any:
    """Declare a field that a variable fills; None where it is unset or empty."""
    variable = Variable(name=name, meaning=meaning, unit=unit, is_secret=is_secret)
    return field(metadata={VARIABLE: variable})


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """Where the real servers and tools are, when the machine brings its own."""

    database_url: str | None = read_from(
        "INBOX_SUITE_DATABASE_URL",
        "a PostgreSQL superuser's address; then no PostgreSQL is started here",
        unit="URL",
        is_secret=True,
    )
    nats_url: str | None = read_from(
        "INBOX_SUITE_NATS_URL",
        "a NATS address that may create streams; then no nats-server is started here",
        unit="URL",
        is_secret=True,
    )
    envoy: str | None = read_from("INBOX_SUITE_ENVOY", "an Envoy program", unit="file")
    test_database_url: str | None = read_from(
        "INBOX_TEST_DATABASE_URL",
        "a throw-away PostgreSQL for tests, as a superuser; set once by `./dev test`",
        unit="URL",
        is_secret=True,
    )
    test_nats_url: str | None = read_from(
        "INBOX_TEST_NATS_URL",
        "a throw-away NATS for tests, `nats://host:port`; set once by `./dev test`",
        unit="URL",
    )
    chromium: str | None = read_from(
        "CHROMIUM", "a Chromium or Chrome program for the browser tests", unit="file"
    )


DEPLOYMENT = (
    Variable(
        name="INBOX_PORT", meaning="the one published port, Envoy's", unit="port", default="8080"
    ),
    Variable(
        name="INBOX_TLS_FOLDER",
        meaning="folder with tls.crt and tls.key, as an absolute path; then the port speaks TLS",
        unit="folder",
    ),
    Variable(
        name="POSTGRES_PASSWORD",
        meaning="PostgreSQL's superuser",
        unit="secret",
        default="required",
        is_secret=True,
    ),
    Variable(
        name="INBOX_<SERVICE>_<ROLE>_PASSWORD",
        meaning="a service's role in its own database: owner, app or worker",
        unit="secret",
        default="required",
        is_secret=True,
    ),
    Variable(
        name="INBOX_NATS_<SERVICE>_PASSWORD",
        meaning="a service's NATS user",
        unit="secret",
        default="required",
        is_secret=True,
    ),
    Variable(
        name="INBOX_OWNER_DATABASE_URL",
        meaning="for `python -m chassis.migrations SERVICE`: its database as the owning role",
        unit="URL",
        default="required",
        is_secret=True,
    ),
    Variable(
        name="INBOX_SIMULATOR_CONTROL_KEY",
        meaning="opens accounts at the simulator; `./dev` makes one",
        unit="secret",
        is_secret=True,
    ),
)
"""What compose, its jobs and the simulator are told beside the services' own settings."""


def suite_variables() -> dict[str, Variable]:
    """What SuiteSettings is read from, by field."""
    return {one.name: one.metadata[VARIABLE] for one in fields(SuiteSettings)}


def suite_settings() -> SuiteSettings:
    """The settings as the environment has them now."""
    environment = process_environment()
    read = {name: environment.get(one.name) or None for name, one in suite_variables().items()}
    return SuiteSettings(**read)


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
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), str(ROOT / "client"), str(ROOT / "gen")]
    )
    environment["PYTHONUNBUFFERED"] = "1"
    # Programs of ours start over and over; compiled once, they do it in three quarters of the time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def python_program() -> str:
    """The interpreter that runs the services: the one that runs this."""
    return sys.executable
