"""`./dev up` from its first line to its last, with everything this checkout has."""

from __future__ import annotations

import stat
from pathlib import Path

from suite.demo import AI_ANSWERS
from suite.infra.ports import free_port
from tests.running_inbox import RunningInbox, dev


def test_everything_that_runs_is_well(suite: RunningInbox) -> None:
    answer = dev("status", "--data", str(suite.data))

    assert answer.returncode == 0, answer.stdout
    assert suite.url in answer.stdout
    for process in suite.processes():
        assert process.name in answer.stdout
        assert process.address.rpartition(":")[2] in answer.stdout


def test_the_screen_tells_who_answers_in_the_demo(suite: RunningInbox) -> None:
    before, _, after = suite.screen.partition(AI_ANSWERS)

    assert "Everything is running" in before
    assert "Inbox is ready: " in after


def test_a_second_start_on_the_same_data_is_refused_with_who_runs(suite: RunningInbox) -> None:
    answer = dev("up", "--data", str(suite.data), "--port", str(free_port()))

    assert answer.returncode == 1
    assert f"process {suite.process.pid} at http://localhost:{suite.port}" in answer.stderr
    assert f"kill {suite.process.pid}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_named(suite: RunningInbox, tmp_path: Path) -> None:
    answer = dev("up", "--data", str(tmp_path / "other"), "--port", str(suite.port))

    assert answer.returncode == 1
    assert f"port {suite.port} is taken" in answer.stderr
    assert "--port" in answer.stderr


def test_data_of_a_running_inbox_cannot_be_deleted_or_replaced(suite: RunningInbox) -> None:
    assert dev("reset", "--yes", "--data", str(suite.data)).returncode == 1

    assert "postgres" in suite.run["processes"]


def test_secrets_are_for_their_owner_only(suite: RunningInbox) -> None:
    for name in ("secrets.json", "ports.json"):
        mode = stat.S_IMODE((suite.data / name).stat().st_mode)
        assert mode == 0o600, name
    assert stat.S_IMODE(suite.data.stat().st_mode) == 0o700


def test_logs_show_one_service_or_all(suite: RunningInbox) -> None:
    one = dev("logs", "postgres", "--data", str(suite.data))
    everything = dev("logs", "--data", str(suite.data))

    assert "database system is ready" in one.stdout
    assert "postgres       " in everything.stdout
    assert "nats           " in everything.stdout


def test_a_backup_is_taken_while_everything_runs(suite: RunningInbox, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"

    assert dev("backup", str(file), "--data", str(suite.data)).returncode == 0

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert dev("backup", str(file), "--data", str(suite.data)).returncode == 1


def test_a_backup_needs_a_folder_that_is_there(suite: RunningInbox, tmp_path: Path) -> None:
    answer = dev("backup", str(tmp_path / "none" / "backup.tar"), "--data", str(suite.data))

    assert answer.returncode == 1
    assert "is no folder" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_what_is_no_backup_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ana")

    answer = dev("restore", str(tmp_path / "letter.txt"), "--data", str(tmp_path / "data"), "--yes")

    assert answer.returncode == 1
    assert "is no backup of Inbox" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_data_of_a_newer_version_are_refused_with_the_version_to_use(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "version").write_text("99 7.3\n")

    answer = dev("up", "--data", str(data), "--port", str(free_port()))

    assert answer.returncode == 1
    assert "version 7.3" in answer.stderr


def test_a_worker_of_an_unknown_service_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    answer = dev("up", "--data", str(tmp_path / "data"), "--workers", "mesaging=2",
                 "--port", str(free_port()))  # fmt: skip

    assert answer.returncode == 1
    assert "messaging" in answer.stderr


def test_what_is_no_certificate_is_refused_before_anything_starts(tmp_path: Path) -> None:
    key = tmp_path / "front.key"
    key.write_text("no key")

    answer = dev("up", "--data", str(tmp_path / "data"), "--port", str(free_port()),
                 "--tls-cert", str(tmp_path / "absent.pem"), "--tls-key", str(key))  # fmt: skip

    assert answer.returncode == 1
    assert "absent.pem" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_nothing_runs_on_a_stopped_folder(tmp_path: Path) -> None:
    answer = dev("status", "--data", str(tmp_path / "data"))

    assert answer.returncode == 1
    assert "./dev up" in answer.stderr
