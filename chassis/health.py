"""Whether this process takes traffic: gRPC health per service, and reflection beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis import metrics
from chassis.logs import log

CHECK_EVERY = timedelta(milliseconds=250)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
OVERALL = ""


class Readiness:
    """What must be there before traffic makes sense."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], str | None]] = {}

    def add(self, part: str, check: Callable[[], str | None]) -> None:
        """`check` returns None when the part is there, else what is missing."""
        self._checks[part] = check

    def missing(self) -> dict[str, str]:
        """What is not there yet, by part."""
        answers = {part: check() for part, check in self._checks.items()}
        return {part: answer for part, answer in answers.items() if answer is not None}


class Health:
    """The standard health service for all services of one server."""

    def __init__(self, service_names: Sequence[str], server: grpc.aio.Server) -> None:
        """Registers health and reflection, which need no credential."""
        self._names = (OVERALL, *service_names)
        self._servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        visible = (*service_names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(visible, server)

    async def follow(self, readiness: Readiness) -> None:
        """Say for ever what readiness says."""
        told: dict[str, str] | None = None
        while True:
            missing = readiness.missing()
            if missing != told:
                await self._tell(missing)
                told = missing
            await asyncio.sleep(CHECK_EVERY.total_seconds())

    async def leave(self) -> None:
        """Say for good that no more traffic is wanted."""
        metrics.READY.set(0)
        await self._servicer.enter_graceful_shutdown()

    async def _tell(self, missing: dict[str, str]) -> None:
        metrics.READY.set(0 if missing else 1)
        if missing:
            log.warning("not_ready", missing=missing)
        else:
            log.info("ready")
        for name in self._names:
            await self._servicer.set(name, NOT_SERVING if missing else SERVING)
