"""The suite's processes as data: what each needs, whom it calls, when it may start.

A service whose folder is not in the tree is left out. Compose and Envoy's configuration are
checked against this table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from suite.databases import database_of, urls
from suite.infra.ports import LOOPBACK
from suite.settings import ROOT, python_environment, python_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SPARE_CONNECTIONS = 40
"""Beside the services': migrations, tools, a person with psql, and a replica that restarts while
PostgreSQL has not yet noticed that its predecessor is gone."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of ours."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    """On its command line; `{address}` and `{data}` stand for its port and the data folder."""
    after: tuple[str, ...] = ()
    """Starts when these are healthy."""
    calls: tuple[str, ...] = ()
    """Services whose address it is given."""
    has_database: bool = False
    uses_nats: bool = True
    unwraps_keys: bool = False
    """It is given the master key."""
    knows_public_url: bool = False
    connections: int = 0
    """PostgreSQL connections of one process, both roles together, at most."""
    speaks: Literal["grpc", "http"] = "grpc"
    health_path: str = ""
    """Answers 200 when it is well; gRPC services have grpc.health.v1 instead."""

    @property
    def in_tree(self) -> bool:
        """Whether this checkout has it."""
        return (ROOT / self.module.replace(".", "/") / "__main__.py").exists()


SERVICES = (
    Service(
        name="identity",
        module="services.identity",
        has_database=True,
        unwraps_keys=True,
        knows_public_url=True,
        connections=32,
    ),
    Service(
        name="messaging",
        module="services.messaging",
        after=("identity",),
        calls=("identity", "media"),
        has_database=True,
        unwraps_keys=True,
        knows_public_url=True,
        connections=48,
    ),
    Service(
        name="conversation",
        module="services.conversation",
        after=("identity",),
        calls=("identity", "messaging", "assistant"),
        has_database=True,
        connections=40,
    ),
    Service(
        name="media",
        module="services.media",
        after=("identity",),
        calls=("identity",),
        has_database=True,
        uses_nats=False,
        connections=32,
    ),
    Service(
        name="assistant",
        module="services.assistant",
        after=("identity",),
        calls=("identity", "messaging", "conversation", "realtime"),
        has_database=True,
        unwraps_keys=True,
        connections=40,
    ),
    Service(
        name="realtime",
        module="services.realtime",
        after=("identity",),
        calls=("identity", "conversation", "messaging", "assistant"),
    ),
    Service(
        name="gateway",
        module="gateway",
        after=("messaging", "conversation", "media", "assistant", "realtime"),
        calls=("identity", "conversation", "messaging", "media", "assistant", "realtime"),
        uses_nats=False,
        knows_public_url=True,
        speaks="http",
        health_path="/readyz",
    ),
    Service(
        name="simulator",
        module="suite.simulator",
        arguments=("--listen", "{address}", "--data", "{data}/simulator"),
        uses_nats=False,
        speaks="http",
        health_path="/healthz",
    ),
)
"""In the order they are started, which is also the order of `./dev status`."""


def runnable_services() -> list[Service]:
    """What this checkout can run: a service that calls an absent one cannot start either."""
    present = {service.name for service in SERVICES if service.in_tree}
    while True:
        able = {
            service.name
            for service in SERVICES
            if service.name in present and present.issuperset(service.calls)
        }
        if able == present:
            return [service for service in SERVICES if service.name in able]
        present = able


@dataclass(frozen=True, kw_only=True)
class Replica:
    """One process of a service."""

    service: Service
    number: int
    port: int

    @property
    def name(self) -> str:
        """What it is called on the screen and in the logs: messaging, messaging-2 …"""
        return self.service.name if self.number == 1 else f"{self.service.name}-{self.number}"

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a service is told about everything else."""

    data: Path
    superuser_url: str
    passwords: Mapping[str, str]
    nats_urls: Mapping[str, str]
    nats_monitor_url: str
    """Where services make sure that NATS syncs every write; empty for a NATS not started here."""
    service_key: str
    master_key: str
    simulator_key: str
    """Opens accounts at the platform double."""
    public_url: str
    has_envoy: bool
    blobs: Path
    web_root: Path
    addresses: Mapping[str, str]
    """Comma separated addresses of every service's replicas."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What `--set` gives every service of ours."""


def module_of(replica: Replica, around: Surroundings) -> tuple[str, ...]:
    """Its module, and what is on its command line."""
    return (
        replica.service.module,
        *(
            argument.format(address=replica.address, data=around.data)
            for argument in replica.service.arguments
        ),
    )


def command_of(replica: Replica, around: Surroundings) -> tuple[str, ...]:
    """How to start it as a program of its own."""
    return (python_program(), "-P", "-m", *module_of(replica, around))


def environment_of(replica: Replica, around: Surroundings) -> dict[str, str]:
    """Everything it is told by environment variables."""
    service = replica.service
    if service.name == "simulator":  # stands for a stranger's machine: it is told nothing of ours
        return python_environment() | {"INBOX_SIMULATOR_CONTROL_KEY": around.simulator_key}
    told = {"INBOX_SERVICE_KEY": around.service_key}
    if service.has_database:
        of_service = urls(around.superuser_url, database_of(service.name), around.passwords)
        told["INBOX_DATABASE_URL"] = of_service.app
        told["INBOX_WORKER_DATABASE_URL"] = of_service.worker
    if service.uses_nats:
        told["INBOX_NATS_URL"] = around.nats_urls[service.name]
        if around.nats_monitor_url:
            told["INBOX_NATS_MONITOR_URL"] = around.nats_monitor_url
    if service.unwraps_keys:
        told["INBOX_MASTER_KEY"] = around.master_key
    if service.knows_public_url:
        told["INBOX_PUBLIC_URL"] = around.public_url
    for other in service.calls:
        if other in around.addresses:
            told[f"INBOX_{other.upper()}_ADDRESS"] = around.addresses[other]
    told |= _own(service, around)
    return python_environment() | dict(around.settings) | told | _listening(replica, around)


def _own(service: Service, around: Surroundings) -> dict[str, str]:
    """What it alone is told."""
    if service.name == "media":
        return {"INBOX_BLOB_URL": around.blobs.as_uri()}
    if service.name == "assistant":
        # Whoever runs this machine is also who chooses the provider; a deployment lists its hosts.
        return {"INBOX_PROVIDER_HOSTS": "*"}
    return {}


def _listening(replica: Replica, around: Surroundings) -> dict[str, str]:
    """Where it listens, and what else the front door's part in it asks for."""
    if replica.service.speaks == "grpc":
        return {"INBOX_LISTEN": replica.address}
    told = {"INBOX_HTTP_LISTEN": replica.address, "INBOX_WEB_ROOT": str(around.web_root)}
    if not around.has_envoy:
        # It is the front door itself: replicas share the port, the simulator is behind it.
        told["INBOX_REUSE_PORT"] = "1"
        if "simulator" in around.addresses:
            told["INBOX_SIMULATOR_URL"] = f"http://{around.addresses['simulator']}"
    return told


def connections_needed(replicas: Iterable[Replica]) -> int:
    """PostgreSQL's max_connections for these processes."""
    return SPARE_CONNECTIONS + sum(replica.service.connections for replica in replicas)
