"""The process as it is wired: it waits for its schema, serves, and leaves when told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.server import run
from services.media.__main__ import wire
from suite.databases import DatabaseUrls
from tests.service.media.conftest import media_settings


async def test_the_process_listens_and_is_not_ready_without_identity(
    urls: DatabaseUrls, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    settings = media_settings(urls, tmp_path.as_uri())

    async with asyncio.TaskGroup() as group:
        group.create_task(run("media", settings, wire, stop=stop, listening=port.set_result))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service="inbox.media.v1.MediaService")
            answer = await health.Check(request, timeout=10, wait_for_ready=True)
        stop.set()

    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert (tmp_path / ".staging").is_dir()
