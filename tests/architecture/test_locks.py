"""The locked requirements hold what pyproject.toml asks for, and nothing names a host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-local.lock": PROJECT["dependencies"] + EXTRAS["local"],
    "requirements-dev.lock": PROJECT["dependencies"] + EXTRAS["local"] + EXTRAS["dev"],
}
ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return {found["name"]: found["version"] for found in ENTRY.finditer(text)}


@pytest.mark.parametrize("name", ASKED)
def test_everything_asked_for_is_locked_at_a_version_that_fits(name: str) -> None:
    versions = locked(name)
    for line in ASKED[name]:
        requirement = Requirement(line)
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {name}; run `make locks`"
        assert requirement.specifier.contains(version), f"{line} is locked at {version}"


def test_the_lock_files_agree_on_every_version() -> None:
    everything = locked("requirements-dev.lock")

    for name in ASKED:
        assert locked(name).items() <= everything.items()


@pytest.mark.parametrize("name", ASKED)
def test_every_package_has_hashes_and_no_host_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
