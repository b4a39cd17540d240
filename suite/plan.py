"""What one `./dev up` is going to run, decided before anything starts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.envoy import Certificate
from suite.databases import DATABASES, ROLES
from suite.infra.nats import ADMINISTRATOR, NatsServer, prepare_nats
from suite.infra.ports import is_free
from suite.infra.postgres import PostgresServer, prepare_postgres
from suite.infra.program import SuiteError
from suite.infra.resolve import Binary, resolve_envoy
from suite.processes import (
    SERVICES,
    Replica,
    Service,
    Surroundings,
    connections_needed,
    runnable_services,
)
from suite.settings import ROOT, suite_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from suite.datafolder import DataFolder

LONGEST_REPLICAS = 16


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Decided once per start."""

    port: int
    """The front door's."""
    replicas: tuple[Replica, ...]
    passwords: Mapping[str, str]
    """By database role."""
    nats_users: Mapping[str, str]
    envoy: Binary | None
    """None: the gateway serves the front port itself."""
    certificate: Certificate | None
    """With one the front door speaks TLS."""
    envoy_admin_port: int
    postgres_port: int
    postgres_password: str
    nats_port: int
    nats_monitor_port: int
    external_database_url: str | None
    external_nats_url: str | None
    settings: Mapping[str, str] = field(default_factory=dict)
    """What `--set` gives every service of ours, by variable."""

    @property
    def public_url(self) -> str:
        """Where browsers go."""
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    @property
    def absent(self) -> list[str]:
        """Services this checkout cannot run."""
        present = {service.name for service in runnable_services()}
        return [service.name for service in SERVICES if service.name not in present]

    def replicas_of(self, service: str) -> list[Replica]:
        """All processes of one service."""
        return [replica for replica in self.replicas if replica.service.name == service]

    def waves(self) -> list[list[Replica]]:
        """Groups to start one after the other: each needs only earlier ones."""
        waves: list[list[Replica]] = []
        started: set[str] = set(self.absent)
        waiting = list(self.replicas)
        while waiting:
            ready = [replica for replica in waiting if started.issuperset(replica.service.after)]
            waves.append(ready)
            started |= {replica.service.name for replica in ready}
            waiting = [replica for replica in waiting if replica not in ready]
        return waves


def make_plan(options: argparse.Namespace, folder: DataFolder) -> Plan:
    """Decide what runs where; raises SuiteError for what cannot be."""
    if not is_free(options.port):
        raise SuiteError(
            f"port {options.port} is taken by another program; choose one with --port N"
        )
    settings = suite_settings()
    certificate = _certificate(options.tls_cert, options.tls_key)
    workers = _workers(options.workers)
    taken = frozenset({options.port})
    envoy = None if options.no_envoy else resolve_envoy(settings.envoy)
    if certificate and envoy is None:
        raise SuiteError("TLS needs Envoy, and this machine has none; leave out --tls-cert")
    replicas = tuple(
        Replica(
            service=service,
            number=number,
            port=_port(service, number, options.port, folder, has_envoy=envoy is not None),
        )
        for service in runnable_services()
        for number in range(1, workers.get(service.name, 1) + 1)
    )
    roles = [database.role(kind) for database in DATABASES for kind in ROLES]
    users = [service.name for service in SERVICES if service.uses_nats]
    return Plan(
        port=options.port,
        replicas=replicas,
        passwords={role: folder.secret(f"role.{role}") for role in roles},
        nats_users={user: folder.secret(f"nats.{user}") for user in (*users, ADMINISTRATOR)},
        envoy=envoy,
        certificate=certificate,
        envoy_admin_port=folder.port("envoy-admin", taken),
        postgres_port=folder.port("postgres", taken),
        postgres_password=folder.secret("postgres"),
        nats_port=folder.port("nats", taken),
        nats_monitor_port=folder.port("nats-monitor", taken),
        external_database_url=settings.database_url,
        external_nats_url=settings.nats_url,
        settings=dict(options.settings),
    )


def plan_postgres(plan: Plan, folder: DataFolder) -> PostgresServer:
    """Our own PostgreSQL, unpacked and initialised."""
    return prepare_postgres(
        folder.path / "postgres",
        port=plan.postgres_port,
        password=plan.postgres_password,
        max_connections=connections_needed(plan.replicas),
    )


def plan_nats(plan: Plan, folder: DataFolder) -> NatsServer:
    """Our own nats-server."""
    return prepare_nats(
        folder.path / "nats",
        port=plan.nats_port,
        users=plan.nats_users,
        monitor_port=plan.nats_monitor_port,
    )


def surroundings(
    plan: Plan, folder: DataFolder, *, database_url: str, nats: NatsServer | None
) -> Surroundings:
    """What every service is told about the others."""
    addresses = {
        service.name: ",".join(replica.address for replica in plan.replicas_of(service.name))
        for service in SERVICES
        if plan.replicas_of(service.name)
    }
    external = plan.external_nats_url or ""
    return Surroundings(
        data=folder.path,
        superuser_url=database_url,
        passwords=plan.passwords,
        nats_urls={user: nats.url_of(user) if nats else external for user in plan.nats_users},
        nats_monitor_url=nats.monitor_url if nats else "",
        service_key=folder.secret("service_key"),
        master_key=folder.secret("master_key"),
        simulator_key=folder.secret("simulator_key"),
        has_envoy=plan.envoy is not None,
        public_url=plan.public_url,
        blobs=folder.blobs,
        web_root=ROOT / "web" / "dist",
        addresses=addresses,
        settings=plan.settings,
    )


def _port(
    service: Service, number: int, front_port: int, folder: DataFolder, *, has_envoy: bool
) -> int:
    if service.name == "gateway" and not has_envoy:
        return front_port  # all its processes share it by SO_REUSEPORT
    name = service.name if number == 1 else f"{service.name}-{number}"
    return folder.port(name, frozenset({front_port}))


def _certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    if chain is None or key is None:
        return None
    try:
        # An empty password, lest it asks for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except OSError as error:
        raise SuiteError(
            f"{chain} and {key} are no certificate chain and its key, as PEM without a password: "
            f"{error}"
        ) from error
    return Certificate(chain_file=str(chain.absolute()), key_file=str(key.absolute()))


def _workers(asked: list[tuple[str, int]]) -> dict[str, int]:
    workers = dict(asked)
    known = [service.name for service in SERVICES]
    for name, count in workers.items():
        if name not in known:
            raise SuiteError(f"--workers {name}={count}: there is {', '.join(known)}")
        if count > LONGEST_REPLICAS:
            raise SuiteError(f"--workers {name}={count}: at most {LONGEST_REPLICAS} here")
    return workers
