"""The command line of ./dev."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from suite import commandline


def test_up_runs_on_the_usual_port_and_folder() -> None:
    options = commandline.parse(["up"])

    assert options.port == 8080
    assert options.data.name == ".data"
    assert not options.with_tools


def test_workers_are_given_per_service() -> None:
    options = commandline.parse(["up", "--workers", "gateway=2", "--workers", "messaging=3"])

    assert options.workers == [("gateway", 2), ("messaging", 3)]


def test_a_setting_is_given_by_its_name() -> None:
    options = commandline.parse(["up", "--set", "LOG_LEVEL=debug", "--set", "PUBLIC_URL=a=b"])

    assert options.settings == [("INBOX_LOG_LEVEL", "debug"), ("INBOX_PUBLIC_URL", "a=b")]


def test_all_benchmarks_run_unless_some_are_named() -> None:
    assert commandline.parse(["bench"]).parts == []
    assert commandline.parse(["bench", "sends", "groups", "--quick"]).parts == ["sends", "groups"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--workers", "gateway"],
        ["up", "--workers", "gateway=0"],
        ["up", "--workers", "=2"],
        ["up", "--port", "0"],
        ["up", "--port", "http"],
        ["up", "--set", "LOG_LEVEL"],
        ["up", "--set", "log_level=debug"],
        ["bench", "P1"],
        ["bench", "--messages", "0"],
        ["bench", "--", "--quick"],
        ["up", "--", "-x"],
        ["up", "--tls-cert", "front.pem"],
        ["up", "--tls-key", "front.key"],
        ["up", "--tls-cert", "front.pem", "--tls-key", "front.key", "--no-envoy"],
        ["key", "--role", "visitor"],
        ["logs", "-n", "0"],
        ["nonsense"],
        [],
    ],
)
def test_a_mistake_ends_with_a_hint(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        commandline.parse(arguments)

    assert ended.value.code == 2
    assert "usage: ./dev" in capsys.readouterr().err


def test_what_follows_two_dashes_goes_to_pytest() -> None:
    options = commandline.parse(["test", "unit", "service", "--", "-k", "retry", "-x"])

    assert options.tiers == ["unit", "service"]
    assert options.rest == ["-k", "retry", "-x"]
    assert options.with_tools


@pytest.mark.parametrize(
    "name",
    ["up", "test", "check", "bench", "faults", "backup", "restore", "status", "logs", "key",
     "reset"],
)  # fmt: skip
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commandline.parse([name, "--help"])

    assert ended.value.code == 0
    assert f"usage: ./dev {name}" in capsys.readouterr().out


def test_help_and_bootstrap_need_nothing_but_the_standard_library() -> None:
    root = Path(commandline.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(root / "dev"), "--help"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "COMMAND" in done.stdout
