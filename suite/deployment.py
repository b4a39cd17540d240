"""Writes nats.conf and envoy.json for a deployment whose services have names.

    python -m suite.deployment FOLDER

docker-compose.yml runs it once. Both files come from the tables that `./dev up` uses, so what a
laptop runs and what a deployment runs cannot drift apart. NATS passwords come from the
environment as INBOX_NATS_<SERVICE>_PASSWORD; all that lack are named at once. With INBOX_TLS_FOLDER
the front door speaks TLS.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.envoy import Certificate, Endpoint, FrontDoor, Upstream, render
from suite.infra.nats import permissions
from suite.processes import SERVICES
from suite.settings import process_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_PORT = 7000
"""Every service listens here, in a container of its own."""
FRONT_PORT = 8080
ADMIN_PORT = 9901
NATS_PORT = 4222
NATS_MONITOR_PORT = 8222
NATS_STORE = "/data/jetstream"
TLS_FOLDER = "/tls"
"""Where Envoy's container finds what INBOX_TLS_FOLDER names, in files called as Kubernetes does."""
CERTIFICATE = Certificate(chain_file=f"{TLS_FOLDER}/tls.crt", key_file=f"{TLS_FOLDER}/tls.key")
MAX_PAYLOAD_BYTES = 1024 * 1024
DEPLOYED = tuple(service for service in SERVICES if service.name != "simulator")
"""The simulator is for trying things out; a deployment has real platforms."""


def nats_users() -> tuple[str, ...]:
    """Services that get a NATS user of their own."""
    return tuple(service.name for service in DEPLOYED if service.uses_nats)


def password_setting(user: str) -> str:
    """The environment variable of a NATS user's password."""
    return f"INBOX_NATS_{user.upper()}_PASSWORD"


def nats_configuration(passwords: Mapping[str, str]) -> dict[str, Any]:
    """nats-server's configuration, as its format's JSON subset."""
    return {
        "server_name": "inbox",
        "listen": f"0.0.0.0:{NATS_PORT}",
        "http": f"0.0.0.0:{NATS_MONITOR_PORT}",
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": NATS_STORE, "sync_interval": "always"},
        "authorization": {
            "users": [
                {"user": user, "password": passwords[user], "permissions": permissions(user)}
                for user in nats_users()
            ]
        },
    }


def envoy_configuration(certificate: Certificate | None = None) -> dict[str, Any]:
    """Envoy's bootstrap; each name resolves to all replicas of its service."""
    upstreams = {
        service.name: Upstream(
            name=service.name,
            endpoints=(Endpoint(host=service.name, port=SERVICE_PORT),),
            by_name=True,
        )
        for service in DEPLOYED
    }
    return render(
        FrontDoor(
            address="0.0.0.0",  # noqa: S104 - the one published port
            port=FRONT_PORT,
            admin_port=ADMIN_PORT,
            certificate=certificate,
            services={
                service.name: upstreams[service.name]
                for service in DEPLOYED
                if service.speaks == "grpc"
            },
            gateway=upstreams["gateway"],
        )
    )


def main(arguments: list[str]) -> None:
    """Write both files into the folder named on the command line."""
    if len(arguments) != 1:
        sys.exit("usage: python -m suite.deployment FOLDER")
    environment = process_environment()
    missing = [name for name in map(password_setting, nats_users()) if not environment.get(name)]
    if missing:
        sys.exit(f"set {', '.join(missing)}; `python deploy/new_secrets.py` makes them")
    passwords = {user: environment[password_setting(user)] for user in nats_users()}
    certificate = CERTIFICATE if environment.get("INBOX_TLS_FOLDER") else None
    if certificate and not environment.get("INBOX_PUBLIC_URL", "").startswith("https://"):
        sys.exit("with INBOX_TLS_FOLDER browsers come by https: set INBOX_PUBLIC_URL=https://…")
    folder = Path(arguments[0])
    for name, content in (
        ("nats.conf", nats_configuration(passwords)),
        ("envoy.json", envoy_configuration(certificate)),
    ):
        (folder / name).write_text(json.dumps(content, indent=1))
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main(sys.argv[1:])
