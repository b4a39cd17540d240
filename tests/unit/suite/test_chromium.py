"""Which browser the browser tests get: the one that is named, else the quickest there is."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from suite import chromium
from suite.infra.program import SuiteError
from suite.screen import Screen

SHELL = chromium.HEADLESS_SHELL


@dataclass
class Machine:
    """What is on PATH, and what its packages have."""

    programs: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    user: int = 0
    asked_for: list[str] = field(default_factory=list)

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if command[1] == "update":
            return subprocess.CompletedProcess(command, 0, "", "")
        package = command[-1]
        self.asked_for.append(package)
        if package not in self.packages:
            return subprocess.CompletedProcess(command, 100, "", "E: Unable to locate package")
        self.programs.add(package)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(programs={"apt-get"})
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "MAC", Path("/nowhere"))
    monkeypatch.setattr(shutil, "which", machine.which)
    monkeypatch.setattr(subprocess, "run", machine.run)
    monkeypatch.setattr(os, "geteuid", lambda: machine.user)
    return machine


def found() -> str:
    return chromium.find_or_install(Screen()).name


def test_the_one_that_is_named_is_taken(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.programs |= {SHELL, "my-browser"}
    monkeypatch.setenv("CHROMIUM", "my-browser")

    assert found() == "my-browser"


def test_one_that_is_named_and_not_there_is_not_replaced(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.programs.add(SHELL)
    monkeypatch.setenv("CHROMIUM", "my-browser")

    with pytest.raises(SuiteError, match="my-browser"):
        found()


def test_the_headless_shell_goes_before_a_whole_browser(machine: Machine) -> None:
    machine.programs |= {"chromium", SHELL}

    assert (found(), machine.asked_for) == (SHELL, [])


def test_it_is_installed_beside_a_whole_browser_where_we_may_install(machine: Machine) -> None:
    machine.programs.add("chromium")
    machine.packages |= {SHELL, "chromium"}

    assert (found(), machine.asked_for) == (SHELL, [SHELL])


def test_without_that_package_the_browser_on_path_serves(machine: Machine) -> None:
    machine.programs.add("google-chrome")

    assert (found(), machine.asked_for) == ("google-chrome", [SHELL])


def test_without_either_the_package_of_the_browser_is_installed(machine: Machine) -> None:
    machine.packages.add("chromium")

    assert (found(), machine.asked_for) == ("chromium", [SHELL, "chromium"])


def test_who_may_not_install_is_told_the_ways(machine: Machine) -> None:
    machine.user, machine.packages = 1000, {SHELL}

    with pytest.raises(SuiteError, match="CHROMIUM=/path"):
        found()
    assert machine.asked_for == []
