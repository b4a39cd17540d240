"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("chassis", "client", "gateway", "services", "suite", "tests", "tools", "bench")
NO_SUCH_ROOM = {"base", "common", "core", "helpers", "manager", "misc", "shared", "util", "utils"}
MAX_LINES = 400
MAX_CHASSIS_LINES = 250
SERVICES = sorted(
    path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists()
)
ALWAYS_THERE = {"__main__", "service", "settings"}
TABLES = {"Publishes": ("events", "PUBLISHES"), "Consumes": ("consumers", "CONSUMES")}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def our_modules() -> Iterator[Path]:
    for part in PARTS:
        yield from sorted((ROOT / part).rglob("*.py"))


def our_web_modules() -> Iterator[Path]:
    for part in ("src", "tests", "scripts"):
        for path in sorted((ROOT / "web" / part).rglob("*.ts*")):
            if not path.is_relative_to(ROOT / "web" / "src" / "gen"):
                yield path


def contracts() -> list[dict[str, Any]]:
    """What import-linter checks."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = pyproject["tool"]["importlinter"]["contracts"]
    return found


def floor_plan() -> dict[str, Any]:
    return next(contract for contract in contracts() if "containers" in contract)


@pytest.mark.parametrize("path", list(our_modules()), ids=named)
def test_a_module_is_short_has_a_name_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    limit = MAX_CHASSIS_LINES if path.is_relative_to(ROOT / "chassis") else MAX_LINES

    assert len(text.splitlines()) <= limit, "make a folder of it"
    assert path.stem not in NO_SUCH_ROOM, "name it after what it does"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "start with a sentence that says what it is"


@pytest.mark.parametrize("path", list(our_web_modules()), ids=named)
def test_a_web_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES, "split it by what it is about"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_rooms_of_the_floor_plan(service: str) -> None:
    home = ROOT / "services" / service
    rooms = {path.stem for path in home.glob("*.py")}
    rooms |= {path.parent.name for path in home.glob("*/__init__.py")}
    planned = set(re.findall(r"\w+", " ".join(floor_plan()["layers"]))) | {"__init__"}

    assert rooms >= ALWAYS_THERE
    assert rooms <= planned
    assert f"services.{service}" in floor_plan()["containers"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("heading", TABLES)
def test_a_services_docstring_lists_the_events_of_its_tables(service: str, heading: str) -> None:
    said = told_in_docstring(service)[heading]
    module, table = TABLES[heading]

    assert said == names_in_table(ROOT / "services" / service, module, table)


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_docstring_says_what_it_owns_and_whom_it_calls(service: str) -> None:
    assert {"Owns", "Publishes", "Consumes", "Calls"} <= told_in_docstring(service).keys()


def told_in_docstring(service: str) -> dict[str, set[str]]:
    """`Publishes: a, b.` as names by heading; "nothing" is none."""
    text = (ROOT / "services" / service / "__init__.py").read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    told = re.findall(r"(?ms)^([A-Z][a-z]+):\s+(.*?)(?=^[A-Z][a-z]+:|\Z)", docstring)
    return {heading: set(re.findall(r"[a-z]+(?:_[a-z]+)+", names)) for heading, names in told}


def names_in_table(home: Path, module: str, table: str) -> set[str]:
    """The keys of a table, read from its source: importing would need a whole process."""
    for path in (home / f"{module}.py", home / module / "__init__.py"):
        if path.exists():
            return keys_of(ast.parse(path.read_text()), table)
    return set()


def keys_of(module: ast.Module, table: str) -> set[str]:
    for statement in module.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Dict(keys=keys))
                | ast.AnnAssign(target=ast.Name(name), value=ast.Dict(keys=keys))
            ) if name == table:
                return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"there is no table {table}, a dict by event name")
