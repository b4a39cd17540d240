"""What is killed comes back; who is asked to leave leaves in time; what was kept is found again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.datafolder import DataFolder
from suite.processes import SERVICES
from tests.running_inbox import LEAVES_SECONDS, RunningInbox, running_inbox

AGAIN_SECONDS = 60.0


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    """One of its own: these tests break it."""
    with running_inbox(tmp_path_factory.mktemp("broken") / "data", "--no-demo") as suite:
        yield suite


@pytest.mark.parametrize("name", ["nats", "postgres", "identity", "envoy"])
def test_a_killed_process_is_named_and_comes_back(suite: RunningInbox, name: str) -> None:
    before = suite.pid_of(name)

    os.kill(before, signal.SIGKILL)

    suite.wait_for(f"{name} was ended by SIGKILL", AGAIN_SECONDS)
    suite.wait_for(f"{name} is back", AGAIN_SECONDS)
    assert suite.pid_of(name) != before
    assert suite.run["processes"][name]["restarts"] == 1


def test_a_nats_that_does_not_sync_every_write_is_refused_by_every_service_that_uses_it(
    suite: RunningInbox,
) -> None:
    file = suite.data / "nats" / "nats.conf"
    synced = file.read_text()

    file.write_text(synced.replace('"always"', '"2m"'))
    told_by_all_after_a_kill_of_nats(suite, "set `jetstream { sync_interval: always }`")

    file.write_text(synced)
    told_by_all_after_a_kill_of_nats(suite, "bus_connected")


def told_by_all_after_a_kill_of_nats(suite: RunningInbox, words: str) -> None:
    """NATS starts again with what its file says; each service logs these words then."""
    users = [service.name for service in SERVICES if service.uses_nats]
    lengths = {name: log_of(suite, name).stat().st_size for name in users}
    os.kill(suite.pid_of("nats"), signal.SIGKILL)
    deadline = time.monotonic() + AGAIN_SECONDS
    while users:
        assert time.monotonic() < deadline, f"never heard from {users}: {words}"
        users = [
            name
            for name in users
            if words.encode() not in log_of(suite, name).read_bytes()[lengths[name] :]
        ]
        time.sleep(0.05)


def log_of(suite: RunningInbox, name: str) -> Path:
    return DataFolder(suite.data).log_of(name)


def test_it_leaves_within_ten_seconds_and_takes_everything_along(suite: RunningInbox) -> None:
    processes = suite.run["processes"]

    code, seconds = suite.stop()

    assert code == 0
    assert seconds < LEAVES_SECONDS
    assert all(gone(process["pid"]) for process in processes.values())
    assert "did not leave in time" not in suite.screen


def test_a_second_start_continues_where_the_first_ended(suite: RunningInbox) -> None:
    ports = (suite.data / "ports.json").read_text()

    with running_inbox(suite.data, "--no-demo") as again:
        assert "first start" not in again.screen
        assert (suite.data / "ports.json").read_text() == ports
        pids = [process["pid"] for process in again.run["processes"].values()]
        os.kill(again.process.pid, signal.SIGKILL)
        again.process.wait()

        # The next start would wait here until the last of them has drained.
        with DataFolder(suite.data).locked():
            assert all(gone(pid) for pid in pids)


def gone(pid: int) -> bool:
    """Whether a process has ended; a dying one gets a moment to be taken off the list."""
    deadline = time.monotonic() + 2
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
