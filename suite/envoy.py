"""Envoy on this machine: its configuration from the plan, and its process."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from gateway.envoy import Endpoint, FrontDoor, Upstream, render
from suite.infra.ports import LOOPBACK
from suite.infra.program import Program

if TYPE_CHECKING:
    from suite.datafolder import DataFolder
    from suite.infra.resolve import Binary
    from suite.plan import Plan


def front_door(plan: Plan) -> FrontDoor:
    """What the configuration is made from: every replica by its address."""
    upstreams = {
        replica.service.name: Upstream(
            name=replica.service.name,
            endpoints=tuple(
                Endpoint(host=LOOPBACK, port=one.port)
                for one in plan.replicas_of(replica.service.name)
            ),
        )
        for replica in plan.replicas
    }
    return FrontDoor(
        port=plan.port,
        admin_port=plan.envoy_admin_port,
        certificate=plan.certificate,
        services={
            replica.service.name: upstreams[replica.service.name]
            for replica in plan.replicas
            if replica.service.speaks == "grpc"
        },
        gateway=upstreams.get("gateway"),
        simulator=upstreams.get("simulator"),
    )


def envoy_program(
    binary: Binary, plan: Plan, folder: DataFolder, inherit: tuple[int, ...]
) -> Program:
    """How to run it; writes its configuration."""
    file = folder.path / "envoy.json"
    file.write_text(json.dumps(render(front_door(plan)), indent=1))
    return Program(
        name="envoy",
        argv=(
            str(binary.path),
            "--config-path",
            str(file),
            # Half of the cores: the services need the others.
            "--concurrency",
            str(max(1, (os.cpu_count() or 2) // 2)),
            # Two suites on one machine would share its memory segment.
            "--disable-hot-restart",
            "--log-level",
            "warning",
        ),
        environment={"PATH": "/usr/bin:/bin"},
        log=folder.log_of("envoy"),
        inherit=inherit,
    )
