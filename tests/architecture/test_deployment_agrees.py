"""Compose, Envoy's configuration and `./dev` tell the same story."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.envoy import Certificate
from suite import deployment
from suite.databases import DATABASES, ROLES
from suite.infra.resolve import resolve_envoy, resolve_nats
from suite.processes import Service
from tests.authority import Authority

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
MONITOR_URL = f"http://nats:{deployment.NATS_MONITOR_PORT}"
PASSWORDS = {user: f"password-of-{user}" for user in deployment.nats_users()}


def named(service: Service) -> str:
    return service.name


@pytest.mark.parametrize("service", deployment.DEPLOYED, ids=named)
def test_compose_tells_a_service_what_dev_up_tells_it(service: Service) -> None:
    composed = SERVICES[service.name]
    told: dict[str, str] = composed["environment"]

    listen = "INBOX_HTTP_LISTEN" if service.speaks == "http" else "INBOX_LISTEN"
    assert composed["command"] == [service.module]
    assert told[listen] == f"0.0.0.0:{deployment.SERVICE_PORT}"
    assert {name for name in told if name.endswith("_ADDRESS")} == {
        f"INBOX_{called.upper()}_ADDRESS" for called in service.calls
    }
    assert all(
        told[f"INBOX_{called.upper()}_ADDRESS"] == f"{called}:{deployment.SERVICE_PORT}"
        for called in service.calls
    )
    assert ("INBOX_DATABASE_URL" in told) is service.has_database
    assert ("INBOX_WORKER_DATABASE_URL" in told) is service.has_database
    assert ("INBOX_NATS_URL" in told) is service.uses_nats
    assert told.get("INBOX_NATS_MONITOR_URL", MONITOR_URL) == MONITOR_URL
    assert "INBOX_NATS_MONITOR_URL" in told or not service.uses_nats
    assert ("INBOX_MASTER_KEY" in told) is service.unwraps_keys
    assert ("INBOX_PUBLIC_URL" in told) is service.knows_public_url
    assert told["INBOX_TRUSTED_NETWORK"] == "1"


@pytest.mark.parametrize("service", deployment.DEPLOYED, ids=named)
def test_a_composed_service_is_read_only_checked_and_starts_after_what_it_needs(
    service: Service,
) -> None:
    composed = SERVICES[service.name]

    assert composed["read_only"] is True
    assert "healthcheck" in composed
    assert "container_name" not in composed, "a fixed name forbids --scale"
    assert "ports" not in composed
    assert set(service.after) <= set(composed["depends_on"])


def test_nothing_but_envoys_port_is_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert list(published) == ["envoy"]
    assert published["envoy"] == [f"${{INBOX_PORT:-8080}}:{deployment.FRONT_PORT}"]


def test_every_database_has_its_roles_and_its_migration() -> None:
    told = SERVICES["databases"]["environment"]

    wanted = {
        f"INBOX_{database.service}_{role}_PASSWORD".upper()
        for database in DATABASES
        for role in ROLES
    }
    assert {name for name in told if name.endswith("_PASSWORD")} == wanted
    for database in DATABASES:
        job = SERVICES[f"migrate-{database.service}"]
        assert job["command"] == ["chassis.migrations", database.service]
        owner = f"{database.role('owner')}:"
        assert owner in job["environment"]["INBOX_OWNER_DATABASE_URL"]
        needed = SERVICES[database.service]["depends_on"]
        assert (
            needed[f"migrate-{database.service}"]["condition"] == "service_completed_successfully"
        )


def test_every_secret_comes_from_the_environment_and_is_made_by_the_script() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))

    printed = subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "new_secrets.py")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert {line.partition("=")[0] for line in printed.splitlines()} == used


@pytest.mark.parametrize("has_tls", [False, True])
def test_envoy_accepts_the_configuration_of_a_deployment(tmp_path: Path, has_tls: bool) -> None:
    envoy = resolve_envoy(None)
    assert envoy is not None
    chain, key = map(str, Authority(tmp_path / "authority").issue("inbox"))
    certificate = Certificate(chain_file=chain, key_file=key) if has_tls else None
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(deployment.envoy_configuration(certificate)))

    checked = subprocess.run(
        [str(envoy.path), "--mode", "validate", "-c", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert checked.returncode == 0, checked.stderr[-2000:]


def test_envoys_container_finds_its_certificate_where_the_configuration_looks() -> None:
    mounted = {volume.split(":")[-2]: volume for volume in SERVICES["envoy"]["volumes"]}

    assert mounted[deployment.TLS_FOLDER] == "${INBOX_TLS_FOLDER:-/dev/null}:/tls:ro"
    for file in (deployment.CERTIFICATE.chain_file, deployment.CERTIFICATE.key_file):
        assert Path(file).parent == Path(deployment.TLS_FOLDER)


@pytest.mark.parametrize(
    ("public_url", "is_written"),
    [("https://inbox.example", True), ("http://localhost:8080", False)],
)
def test_a_deployment_with_tls_has_a_public_address_with_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, public_url: str, is_written: bool
) -> None:
    told = SERVICES["configuration"]["environment"]
    assert told["INBOX_TLS_FOLDER"] == "${INBOX_TLS_FOLDER:-}"
    assert told["INBOX_PUBLIC_URL"] == SERVICES["gateway"]["environment"]["INBOX_PUBLIC_URL"]
    environment = {deployment.password_setting(user): "x" for user in deployment.nats_users()}
    environment |= {"INBOX_TLS_FOLDER": "/etc/inbox/tls", "INBOX_PUBLIC_URL": public_url}
    monkeypatch.setattr(deployment, "process_environment", lambda: environment)

    if is_written:
        deployment.main([str(tmp_path)])
        assert deployment.CERTIFICATE.key_file in (tmp_path / "envoy.json").read_text()
    else:
        with pytest.raises(SystemExit, match="INBOX_PUBLIC_URL=https"):
            deployment.main([str(tmp_path)])
        assert not list(tmp_path.iterdir())


def test_nats_accepts_the_configuration_of_a_deployment(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    file.write_text(json.dumps(deployment.nats_configuration(PASSWORDS)))

    checked = subprocess.run(
        [str(resolve_nats().path), "-t", "-c", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_envoy_knows_every_service_by_its_compose_name() -> None:
    clusters = deployment.envoy_configuration()["static_resources"]["clusters"]

    hosts = {
        endpoint["endpoint"]["address"]["socket_address"]["address"]
        for cluster in clusters
        for group in cluster["load_assignment"]["endpoints"]
        for endpoint in group["lb_endpoints"]
    }
    assert hosts == {service.name for service in deployment.DEPLOYED}
    assert hosts <= set(SERVICES)
