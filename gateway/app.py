"""Routes: which address is served by what, and how errors leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis import metrics as chassis_metrics
from chassis import tracing
from chassis.logs import log
from gateway.errors import EdgeError

if TYPE_CHECKING:
    from gateway.auth import AuthRoutes
    from gateway.connect import Connect
    from gateway.downloads import Downloads
    from gateway.health import Health
    from gateway.simulator import Simulator
    from gateway.sockets import Sockets
    from gateway.static import Static
    from gateway.webhooks import Webhooks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What serves the addresses."""

    health: Health
    auth: AuthRoutes
    connect: Connect
    webhooks: Webhooks
    downloads: Downloads
    sockets: Sockets
    static: Static
    simulator: Simulator | None


def application(parts: Parts) -> web.Application:
    """The whole HTTP surface."""
    app = web.Application(middlewares=[measure, answer_errors])
    app.on_response_prepare.append(_name_no_software)
    router = app.router
    router.add_get("/healthz", parts.health.alive)
    router.add_get("/readyz", parts.health.ready)
    router.add_get("/metrics", metrics)
    router.add_post("/auth/sign-in", parts.auth.sign_in)
    router.add_post("/auth/sign-out", parts.auth.sign_out)
    router.add_post("/auth/ticket", parts.auth.ticket)
    router.add_post("/auth/accept-invite", parts.auth.accept_invite)
    router.add_get("/webhooks/{kind}/{channel_id}", parts.webhooks.handle, allow_head=False)
    router.add_post("/webhooks/{kind}/{channel_id}", parts.webhooks.handle)
    router.add_route("*", r"/{service:inbox\.[\w.]+}/{method:\w+}", parts.connect.handle)
    router.add_get("/media/{link:.*}", parts.downloads.handle)
    router.add_get("/ws", parts.sockets.agents, allow_head=False)
    router.add_get("/ws/chat", parts.sockets.visitors, allow_head=False)
    if parts.simulator is not None:
        app.on_cleanup.append(parts.simulator.lifetime)
        router.add_route("*", "/simulator", parts.simulator.handle)
        router.add_route("*", "/simulator/{rest:.*}", parts.simulator.handle)
    router.add_get("/chat/{channel_id}", parts.static.chat)
    router.add_get("/{path:.*}", parts.static.any_path)
    return app


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count every request and its time."""
    began = asyncio.get_running_loop().time()
    status = 0
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as refusal:
        status = refusal.status
        raise
    finally:
        took = asyncio.get_running_loop().time() - began
        chassis_metrics.GATEWAY_REQUESTS.labels(_route(request), status).observe(took)
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request a trace, and every failure a body that says what it was."""
    trace = tracing.enter(request.headers.get(tracing.HEADER))
    try:
        return await handler(request)
    except EdgeError as error:
        return error.response()
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - the last place that can still answer
        request_id = trace.trace_id
        log.error("request_failed", route=_route(request), request_id=request_id, exc_info=error)
        return _internal(request_id).response()


def _internal(request_id: str) -> EdgeError:
    return EdgeError(
        code=grpc.StatusCode.INTERNAL,
        reason="INTERNAL",
        message=f"a fault of ours; it is logged under request id {request_id}",
        metadata={"request_id": request_id},
    )


async def metrics(_: web.Request) -> web.Response:
    """Prometheus text."""
    return web.Response(body=generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


async def _name_no_software(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("server", None)


def _route(request: web.Request) -> str:
    """The pattern, not the path: paths carry ids."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
