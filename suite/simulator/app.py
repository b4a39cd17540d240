"""Puts the platform together: one HTTP server and the loops behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from chassis.clock import SystemClock
from chassis.ids import new_secret
from suite.simulator import api, control
from suite.simulator.platform import Platform
from suite.simulator.store import PlatformStore
from suite.simulator.switches import RequestRefused
from suite.simulator.webhooks import WebhookSender

PREFIXES = ("", "/simulator")
"""The front door passes its prefix on; programs call without it."""
MAX_REQUEST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running platform."""

    platform: Platform
    url: str
    """Where it listens, without a slash at the end."""
    control_key: str


@asynccontextmanager
async def running_simulator(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    folder: Path | None = None,
    control_key: str = "",
    seed: int | None = None,
) -> AsyncIterator[Simulator]:
    """A platform for the length of a block."""
    platform = Platform(SystemClock())
    key = control_key or new_secret()
    runner = web.AppRunner(_application(platform, key), access_log=None, shutdown_timeout=1.0)
    async with asyncio.TaskGroup() as group:
        if folder is not None:
            store = PlatformStore(folder, platform)
            store.load()
            loops = [group.create_task(store.run())]
        else:
            loops = []
        loops.append(group.create_task(WebhookSender(platform, seed=seed).run()))
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            bound = runner.addresses[0][1]
            yield Simulator(platform, f"http://{host}:{bound}", key)
        finally:
            await runner.cleanup()
            for loop in loops:
                loop.cancel()


def _application(platform: Platform, control_key: str) -> web.Application:
    application = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[_refusals])
    application[api.PLATFORM] = platform
    application[control.CONTROL_KEY] = control_key
    for prefix in PREFIXES:
        for route in (*api.routes(), *control.routes()):
            application.router.add_route(route.method, prefix + route.path, route.handler)
    return application


@web.middleware
async def _refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestRefused as refused:
        return control.error_answer(refused)
