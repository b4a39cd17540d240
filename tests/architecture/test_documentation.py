"""The docs name every setting, event and metric there is, and none that is gone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.fault_tests import FULL_FORM
from tests.architecture.test_floor_plan import SERVICES, names_in_table
from tools import generate_docs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = ("settings.md", "metrics.md", "events.md")
VARIABLE = re.compile(r"\bINBOX_[A-Z_]*[A-Z]\b")
METRIC = re.compile(r"\binbox_[a-z]+(?:_[a-z]+)+\b")
STREAMS = {f"INBOX_{service.upper()}" for service in SERVICES}
OF_TESTS_ALONE = FULL_FORM.keys()


def prose() -> list[Path]:
    """What people write."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    return [page for page in pages if page.name not in GENERATED]


def read(name: str) -> str:
    return (DOCS / name).read_text()


def variables_in_the_code() -> set[str]:
    """Every variable that a program or compose names, and every field of a settings type."""
    sources = [ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*.py")]
    for part in ("chassis", "gateway", "services", "suite"):
        sources += (ROOT / part).rglob("*.py")
    named = {name for source in sources for name in VARIABLE.findall(source.read_text())}
    fields = {f"INBOX_{name.upper()}" for name in settings_fields()}
    return (named | fields) - STREAMS - OF_TESTS_ALONE


def settings_fields() -> Iterator[str]:
    """The fields declared with setting(…), read from their source."""
    for path in (
        ROOT / "chassis" / "settings.py",
        ROOT / "gateway" / "settings.py",
        *ROOT.glob("services/*/settings.py"),
    ):
        for statement in ast.walk(ast.parse(path.read_text())):
            match statement:
                case ast.AnnAssign(target=ast.Name(name), value=ast.Call(func=ast.Name("setting"))):
                    yield name


def documented_variables() -> re.Pattern[str]:
    """One of those in settings.md, where `<SERVICE>` stands for a word."""
    named = re.findall(r"`((?:INBOX_)[A-Z_<>]+)`", read("settings.md"))
    return re.compile("|".join(re.sub("<[A-Z]+>", "[A-Z]+", name) for name in named))


def documented_metrics() -> set[str]:
    return set(METRIC.findall(read("metrics.md")))


def test_the_pages_are_what_the_code_says_today() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_docs.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_a_page_that_lacks_a_line_is_stale(tmp_path: Path) -> None:
    """The negative control: nothing is current in an empty folder, nor with a row left out."""
    assert generate_docs.stale(tmp_path) == list(GENERATED)
    for name, text in generate_docs.written().items():
        (tmp_path / name).write_text(text)
    assert generate_docs.stale(tmp_path) == []

    for name in GENERATED:
        (tmp_path / name).write_text(read(name).rpartition("\n| ")[0] + "\n")

    assert generate_docs.stale(tmp_path) == list(GENERATED)


def test_every_setting_is_documented() -> None:
    found, documented = variables_in_the_code(), documented_variables()

    assert len(found) > 40
    assert {name for name in found if not documented.fullmatch(name)} == set()


def test_every_metric_is_documented() -> None:
    declared = METRIC.findall((ROOT / "chassis" / "metrics.py").read_text())
    documented = {name.removesuffix("_total") for name in documented_metrics()}

    assert declared
    assert set(declared) == documented


def test_metrics_are_declared_in_one_place() -> None:
    for part in ("chassis", "gateway", "services", "suite"):
        for path in (ROOT / part).rglob("*.py"):
            declares = re.search(
                r"(?m)^\w+ = (Counter|Gauge|Histogram|Summary)\(", path.read_text()
            )
            assert not declares or path == ROOT / "chassis" / "metrics.py", path


def test_every_event_is_documented() -> None:
    page = read("events.md")
    messages = [
        name
        for path in (ROOT / "protos").rglob("*_events.proto")
        for name in re.findall(r"(?m)^message (\w+)", path.read_text())
    ]

    assert messages
    assert {name for name in messages if f"[{name}](" not in page} == set()
    for service in SERVICES:
        for table in (("events", "PUBLISHES"), ("consumers", "CONSUMES")):
            for event in names_in_table(ROOT / "services" / service, *table):
                assert f"| `{event}` |" in page


@pytest.mark.parametrize("secret", ["INBOX_SERVICE_KEY", "INBOX_MASTER_KEY", "INBOX_DATABASE_URL"])
def test_secrets_are_marked(secret: str) -> None:
    rows = [line for line in read("settings.md").splitlines() if f"`{secret}`" in line]

    assert rows
    assert all("**secret**" in row for row in rows)


@pytest.mark.parametrize("page", prose(), ids=lambda page: page.name)
def test_no_page_names_a_setting_that_is_gone(page: Path) -> None:
    named, documented = set(VARIABLE.findall(page.read_text())), documented_variables()

    assert {name for name in named - STREAMS if not documented.fullmatch(name)} == set()


def test_the_runbook_names_no_metric_that_is_gone() -> None:
    named = set(METRIC.findall(read("runbook.md")))

    assert named
    assert named <= documented_metrics()
