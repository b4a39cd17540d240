"""Which processes one start has, in which order, and what each is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite.databases import DATABASES, with_user
from suite.infra.nats import PUBLISHING, permissions
from suite.infra.resolve import parse_version
from suite.plan import Plan
from suite.processes import (
    SERVICES,
    Replica,
    Service,
    Surroundings,
    connections_needed,
    environment_of,
)

NAMES = [service.name for service in SERVICES]


def replica_of(name: str, number: int = 1, port: int = 7000) -> Replica:
    service = next(service for service in SERVICES if service.name == name)
    return Replica(service=service, number=number, port=port)


def a_plan(*replicas: Replica) -> Plan:
    return Plan(
        port=8080,
        replicas=replicas,
        passwords={},
        nats_users={},
        envoy=None,
        certificate=None,
        envoy_admin_port=1,
        postgres_port=2,
        postgres_password="",
        nats_port=3,
        nats_monitor_port=4,
        external_database_url=None,
        external_nats_url=None,
    )


def surroundings(
    *, has_envoy: bool = True, nats_monitor_url: str = "", **settings: str
) -> Surroundings:
    roles = [database.role(kind) for database in DATABASES for kind in ("owner", "app", "worker")]
    return Surroundings(
        data=Path("/data"),
        superuser_url="postgresql://root:secret@127.0.0.1:5432/postgres",
        passwords={role: f"password-of-{role}" for role in roles},
        nats_urls={name: f"nats://{name}:pw@127.0.0.1:4222" for name in NAMES},
        nats_monitor_url=nats_monitor_url,
        service_key="service.key",
        master_key="master",
        simulator_key="simulator",
        public_url="http://localhost:8080",
        has_envoy=has_envoy,
        blobs=Path("/data/blobs"),
        web_root=Path("/web/dist"),
        addresses={name: f"127.0.0.1:{7000 + at}" for at, name in enumerate(NAMES)},
        settings=settings,
    )


def test_every_service_starts_after_what_it_needs() -> None:
    plan = a_plan(*(Replica(service=service, number=1, port=1) for service in SERVICES))

    started: set[str] = set(plan.absent)
    for wave in plan.waves():
        assert wave
        for replica in wave:
            assert started.issuperset(replica.service.after)
        started |= {replica.service.name for replica in wave}
    assert started == set(NAMES)


def test_a_service_that_is_not_in_the_tree_is_left_out() -> None:
    assert not Service(name="imaginary", module="services.imaginary").in_tree
    assert next(service for service in SERVICES if service.name == "simulator").in_tree


def test_replicas_have_names_of_their_own() -> None:
    assert [replica_of("messaging", number).name for number in (1, 2)] == [
        "messaging",
        "messaging-2",
    ]


def test_more_workers_need_more_connections() -> None:
    one, two = [replica_of("messaging")], [replica_of("messaging"), replica_of("messaging", 2)]

    assert connections_needed(two) - connections_needed(one) == one[0].service.connections


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_told_the_superusers_password_or_a_neighbours(name: str) -> None:
    told = environment_of(replica_of(name), surroundings(has_envoy=True))

    ours = {key: value for key, value in told.items() if key.startswith("INBOX_")}
    assert not any("secret" in value for value in ours.values())
    assert not any("_owner" in value for value in ours.values())
    for neighbour in {database.service for database in DATABASES} - {name}:
        assert not any(f"password-of-inbox_{neighbour}" in value for value in ours.values())


def test_who_uses_nats_is_told_where_to_see_that_it_syncs_every_write() -> None:
    monitored = surroundings(nats_monitor_url="http://127.0.0.1:8222")
    for service in SERVICES:
        told = environment_of(replica_of(service.name), monitored)
        assert ("INBOX_NATS_MONITOR_URL" in told) is service.uses_nats

        told_of_a_strangers_nats = environment_of(replica_of(service.name), surroundings())
        assert "INBOX_NATS_MONITOR_URL" not in told_of_a_strangers_nats


def test_without_envoy_the_gateways_share_the_port_and_hide_the_simulator() -> None:
    alone = environment_of(replica_of("gateway"), surroundings(has_envoy=False))
    behind = environment_of(replica_of("gateway"), surroundings(has_envoy=True))

    assert alone["INBOX_REUSE_PORT"] == "1"
    assert alone["INBOX_SIMULATOR_URL"].startswith("http://127.0.0.1:")
    assert "INBOX_REUSE_PORT" not in behind
    assert "INBOX_SIMULATOR_URL" not in behind


def test_a_setting_reaches_every_service_but_takes_no_place_of_what_it_is_told() -> None:
    around = surroundings(has_envoy=True, INBOX_LOG_LEVEL="debug", INBOX_SERVICE_KEY="mine")

    for name in NAMES:
        told = environment_of(replica_of(name), around)
        assert told.get("INBOX_LOG_LEVEL") == (None if name == "simulator" else "debug")
        assert told.get("INBOX_SERVICE_KEY") == (None if name == "simulator" else "service.key")


def test_a_password_may_hold_any_character() -> None:
    url = with_user("postgresql://root:x@host:5/postgres?sslmode=disable", "app", "a/b@c:d", "db")

    assert url == "postgresql://app:a%2Fb%40c%3Ad@host:5/db?sslmode=disable"


@pytest.mark.parametrize("user", PUBLISHING)
def test_a_service_may_write_its_own_events_and_nobody_elses(user: str) -> None:
    denied = permissions(user)["publish"]["deny"]

    assert f"inbox.{user}.>" not in denied
    for other in set(PUBLISHING) - {user}:
        assert f"inbox.{other}.>" in denied
        assert f"inbox.live.{other}.>" in denied
        assert f"$JS.API.STREAM.DELETE.INBOX_{other.upper()}" in denied


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("postgres (PostgreSQL) 18.6", (18, 6)),
        ("postgres (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)", (17, 2)),
        ("nats-server: v2.15.1", (2, 15, 1)),
        ("/python3.11/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL", (1, 40, 0)),
        ("v22.12.0", (22, 12, 0)),
        ("no idea", None),
    ],
)
def test_a_program_says_its_version(said: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(said) == version
