"""nats-server under our own supervision: its configuration, start and stop.

Every JetStream write is synced before it is acknowledged (`sync_interval: always`), which services
make sure of at the monitoring port, and each service may write only its own subjects and streams.
"""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from suite.infra.ports import LOOPBACK, free_port
from suite.infra.program import Program, SuiteError, start, stop, wait_until_ready
from suite.infra.resolve import NATS_FLOOR, Binary, resolve_nats

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

START_WITHIN = timedelta(seconds=30)
STOP_WITHIN = timedelta(seconds=4)
ANSWER_SECONDS = 1.0
MAX_STORE_BYTES = 16 * 2**30
PUBLISHING = ("identity", "conversation", "messaging", "media", "assistant")
"""Services that own a stream: INBOX_<NAME>, its subjects and its live hints."""
ADMINISTRATOR = "suite"


@dataclass(frozen=True, kw_only=True)
class NatsServer:
    """A nats-server of ours."""

    binary: Binary
    directory: Path
    port: int
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Password by user name; without users the loopback port is open to all."""
    account_count: int = 0
    """Separate accounts test-0 …, each a world of its own with its own streams."""
    monitor_port: int = 0
    """Tells its settings and counts, never a message, to whoever is on this machine; 0 is off."""

    @property
    def url(self) -> str:
        """Its address, as the administrator where there are users."""
        return self.url_of(ADMINISTRATOR) if self.users else f"nats://{LOOPBACK}:{self.port}"

    def url_of(self, user: str) -> str:
        """Its address with a user's credentials."""
        return f"nats://{user}:{self.users[user]}@{LOOPBACK}:{self.port}"

    @property
    def monitor_url(self) -> str:
        """Where it tells how it is set; empty when it does not."""
        return f"http://{LOOPBACK}:{self.monitor_port}" if self.monitor_port else ""

    @property
    def store(self) -> Path:
        """Where JetStream keeps its streams; may be deleted, services write it again."""
        return self.directory / "jetstream"

    def program(self, log: Path, inherit: tuple[int, ...] = ()) -> Program:
        """How to run it; writes its configuration."""
        file = self.directory / "nats.conf"
        file.touch(mode=0o600)
        file.write_text(json.dumps(self.configuration(), indent=2))
        return Program(
            name="nats",
            argv=(str(self.binary.path), "-c", str(file.absolute())),
            environment={"PATH": "/usr/bin:/bin", "HOME": str(self.directory.absolute())},
            log=log,
            inherit=inherit,
        )

    def configuration(self) -> dict[str, Any]:
        """The server's configuration; its format accepts JSON."""
        configuration: dict[str, Any] = {
            "server_name": "inbox-local",
            "listen": f"{LOOPBACK}:{self.port}",
            "pid_file": str((self.directory / "nats.pid").absolute()),
            "max_payload": 1048576,
            "jetstream": {
                "store_dir": str(self.store.absolute()),
                "sync_interval": "always",
                "max_file_store": MAX_STORE_BYTES,
            },
        }
        if self.monitor_port:
            configuration["http"] = f"{LOOPBACK}:{self.monitor_port}"
        if self.account_count:
            configuration["accounts"] = {
                name: {"jetstream": "enabled", "users": [{"user": name, "password": name}]}
                for name in map(test_account, range(self.account_count))
            }
        elif self.users:
            configuration["authorization"] = {
                "users": [
                    {"user": name, "password": password, "permissions": permissions(name)}
                    for name, password in self.users.items()
                ]
            }
        return configuration

    def is_ready(self) -> bool:
        """Whether it greets; raises when a server too old for us does."""
        greeting = read_greeting(LOOPBACK, self.port)
        return greeting is not None and bool(greeting.get("jetstream"))


def test_account(number: int) -> str:
    """The name of a test account, its user and its password."""
    return f"test-{number}"


test_account.__test__ = False  # type: ignore[attr-defined]


def permissions(user: str) -> dict[str, Any]:
    """What a service may not write: events, hints and streams of another.

    The fence on a stream's last sequence keeps two relays of one service apart; that no third
    party extends the stream is kept here.
    """
    others = [name for name in PUBLISHING if name != user] if user != ADMINISTRATOR else []
    denied = [
        subject
        for name in others
        for subject in (
            f"inbox.{name}.>",
            f"inbox.live.{name}.>",
            *(
                f"$JS.API.STREAM.{verb}.INBOX_{name.upper()}"
                for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE")
            ),
        )
    ]
    return {"publish": {"allow": [">"], "deny": denied}, "subscribe": {"allow": [">"]}}


def prepare_nats(
    directory: Path,
    *,
    port: int,
    users: Mapping[str, str] | None = None,
    account_count: int = 0,
    monitor_port: int = 0,
) -> NatsServer:
    """Find the program and make its folder."""
    directory.mkdir(parents=True, exist_ok=True)
    return NatsServer(
        binary=resolve_nats(),
        directory=directory,
        port=port,
        users=users or {},
        account_count=account_count,
        monitor_port=monitor_port,
    )


@contextmanager
def running_nats(
    directory: Path,
    *,
    port: int = 0,
    users: Mapping[str, str] | None = None,
    account_count: int = 0,
) -> Iterator[NatsServer]:
    """A nats-server with JetStream for the length of a block."""
    server = prepare_nats(
        directory, port=port or free_port(), users=users, account_count=account_count
    )
    program = server.program(directory / "nats.log")
    process = start(program)
    try:
        wait_for_nats(server, process, program.log)
        yield server
    finally:
        stop(process, program, within=STOP_WITHIN)


def wait_for_nats(server: NatsServer, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it greets with JetStream on."""
    wait_until_ready("nats-server", server.is_ready, process, log, START_WITHIN)


def read_greeting(host: str, port: int) -> dict[str, Any] | None:
    """What a NATS server says first, or None when nothing answers there."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.settimeout(ANSWER_SECONDS)
            line = connection.makefile("rb").readline()
    except OSError:
        return None
    if not line.startswith(b"INFO "):
        return None
    greeting: dict[str, Any] = json.loads(line[len(b"INFO ") :])
    version = tuple(int(part) for part in greeting["version"].split("-")[0].split("."))
    if version < NATS_FLOOR:
        floor = ".".join(map(str, NATS_FLOOR))
        raise SuiteError(
            f"the nats-server at {host}:{port} is {greeting['version']}; {floor} or newer is "
            f"needed, because older ones ignore atomic batches"
        )
    return greeting


def wipe_store(server: NatsServer) -> None:
    """Delete everything JetStream kept, while the server is stopped."""
    shutil.rmtree(server.store, ignore_errors=True)
