"""What a container asks: does this service take traffic?"""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.health_check import is_serving


async def test_a_container_is_healthy_while_its_service_serves_and_not_once_it_leaves() -> None:
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    listen = f"0.0.0.0:{port}"

    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    serves = await asyncio.to_thread(is_serving, listen)
    await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    leaves = await asyncio.to_thread(is_serving, listen)
    await server.stop(None)
    gone = await asyncio.to_thread(is_serving, listen)

    assert (serves, leaves, gone) == (True, False, False)
