"""The real Envoy as a front door, with small servers of our own behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gateway.envoy import Certificate, Endpoint, FrontDoor, Upstream, render
from inbox.messaging import v1 as messaging_v1
from suite.health import http_is_ready
from suite.infra.ports import free_port
from suite.infra.program import Program, start, stop
from suite.infra.resolve import resolve_envoy

LOOPBACK = "127.0.0.1"
READY_SECONDS = 15.0
OTHER_SITE = "https://team.example"


class Messaging(messaging_v1.MessagingServiceServicer):
    """One replica; remembers what reached it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0

    async def GetMessage(
        self, request: messaging_v1.GetMessageRequest, context: Any
    ) -> messaging_v1.GetMessageResponse:
        self.calls += 1
        return messaging_v1.GetMessageResponse(message=messaging_v1.Message(id=self.name))

    async def SendMessages(
        self, requests: AsyncIterator[messaging_v1.SendMessagesRequest], context: Any
    ) -> AsyncIterator[messaging_v1.SendMessagesResponse]:
        async for _ in requests:
            yield messaging_v1.SendMessagesResponse()


class Replica:
    """A gRPC server that can be stopped and declared unwell."""

    def __init__(self, name: str) -> None:
        self.servicer = Messaging(name)  # type: ignore[abstract]
        self.health = health.aio.HealthServicer()
        self.server = grpc.aio.server()
        messaging_v1.add_MessagingServiceServicer_to_server(self.servicer, self.server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.port = self.server.add_insecure_port(f"{LOOPBACK}:0")

    async def start(self) -> None:
        await self.server.start()
        await self.say(health_pb2.HealthCheckResponse.SERVING)

    async def say(self, status: Any) -> None:
        await self.health.set("", status)


def gateway_application() -> web.Application:
    async def echo(request: web.Request) -> web.Response:
        body = await request.read()
        return web.json_response(
            {
                "path": request.path,
                "type": request.headers.get("content-type", ""),
                "size": len(body),
                "forwarded": request.headers.get("x-forwarded-for", ""),
                "scheme": request.headers.get("x-forwarded-proto", ""),
            }
        )

    async def socket(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(f"echo {message.data}")
        return answer

    application = web.Application(client_max_size=16 * 2**20)
    application.router.add_get("/ws", socket)
    application.router.add_get("/ws/chat", socket)
    application.router.add_route("*", "/{path:.*}", echo)
    return application


class Door:
    """The running front door and what stands behind it."""

    def __init__(self, front: FrontDoor, replicas: list[Replica]) -> None:
        self.port = front.port
        self.admin_port = front.admin_port
        self.replicas = replicas
        self.url = f"{'https' if front.certificate else 'http'}://{LOOPBACK}:{front.port}"

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"{LOOPBACK}:{self.port}")


@asynccontextmanager
async def open_door(folder: Path, certificate: Certificate | None = None) -> AsyncIterator[Door]:
    replicas = [Replica("one"), Replica("two")]
    for replica in replicas:
        await replica.start()
    runner = web.AppRunner(gateway_application())
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    gateway_port = runner.addresses[0][1]
    front = FrontDoor(
        port=free_port(),
        admin_port=free_port(),
        certificate=certificate,
        services={
            "messaging": Upstream(
                name="messaging",
                endpoints=tuple(Endpoint(host=LOOPBACK, port=r.port) for r in replicas),
            ),
            "realtime": Upstream(
                name="realtime", endpoints=(Endpoint(host=LOOPBACK, port=replicas[0].port),)
            ),
        },
        gateway=Upstream(name="gateway", endpoints=(Endpoint(host=LOOPBACK, port=gateway_port),)),
        allowed_origins=(OTHER_SITE,),
    )
    configuration = folder / "envoy.json"
    configuration.write_text(json.dumps(render(front)))
    envoy = resolve_envoy(None)
    assert envoy is not None
    program = Program(
        name="envoy",
        argv=(str(envoy.path), "-c", str(configuration), "--disable-hot-restart",
              "--concurrency", "1", "-l", "warning"),
        environment={"PATH": "/usr/bin:/bin"},
        log=folder / "envoy.log",
    )  # fmt: skip
    process = start(program)
    try:
        await until(lambda: http_is_ready(front.admin_port, "/ready"))
        await until_statistic(front.admin_port, "cluster.gateway.membership_healthy", 1)
        await until_statistic(front.admin_port, "cluster.messaging.membership_healthy", 2)
        yield Door(front, replicas)
    finally:
        await asyncio.to_thread(stop, process, program, within=timedelta(seconds=5))
        for replica in replicas:
            await replica.server.stop(0)
        await runner.cleanup()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


async def until_statistic(admin_port: int, name: str, wanted: int) -> None:
    async with aiohttp.ClientSession() as client:

        async def reached() -> bool:
            url = f"http://{LOOPBACK}:{admin_port}/stats?filter=^{name}$"
            async with client.get(url) as answer:
                text = await answer.text()
            return text.strip() == f"{name}: {wanted}"

        await until(reached)
