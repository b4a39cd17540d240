"""The simulator behind a gateway that has no Envoy in front of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from gateway.process import Gateway
from tests.service.gateway.conftest import gateway_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.service.gateway.suite_double import Services


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "path": request.path_qs,
            "method": request.method,
            "body": (await request.read()).decode(),
            "cookie": request.headers.get("cookie"),
            "color": request.headers.get("x-color"),
        }
    )


async def moves(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for number in range(3):
        await response.write(f"data: {number}\n\n".encode())
        await asyncio.sleep(0.05)
    return response


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/simulator/phone")


async def phone(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"got {message.data}")
    return socket


@pytest.fixture
async def front(services: Services) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app.router.add_get("/simulator/moves", moves)
    app.router.add_get("/simulator/elsewhere", elsewhere)
    app.router.add_get("/simulator/socket", phone)
    app.router.add_route("*", "/simulator/{rest:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = gateway_settings(services, simulator_url=f"http://127.0.0.1:{port}")
    async with (
        Gateway(settings) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):
        yield session
    await runner.cleanup()


async def test_requests_pass_without_our_secrets(front: aiohttp.ClientSession) -> None:
    headers = {"cookie": "inbox_session=secret", "x-color": "blue"}

    async with front.post("/simulator/a?b=1", data=b"body", headers=headers) as answer:
        shown = await answer.json()

    assert shown == {
        "path": "/simulator/a?b=1",
        "method": "POST",
        "body": "body",
        "cookie": None,
        "color": "blue",
    }


async def test_streams_of_events_and_redirects_pass(front: aiohttp.ClientSession) -> None:
    async with front.get("/simulator/moves") as answer:
        assert answer.content_type == "text/event-stream"
        assert await answer.text() == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
    async with front.get("/simulator/elsewhere", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["location"]) == (302, "/simulator/phone")


async def test_sockets_pass_both_ways_and_end(front: aiohttp.ClientSession) -> None:
    async with front.ws_connect("/simulator/socket") as socket:
        await socket.send_str("hola")
        assert await socket.receive_str(timeout=5) == "got hola"


async def test_a_simulator_that_is_away_is_said_to_be(services: Services) -> None:
    settings = gateway_settings(services, simulator_url="http://127.0.0.1:1")
    async with (
        Gateway(settings) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
        session.get("/simulator/phone") as answer,
    ):
        assert answer.status == 503
