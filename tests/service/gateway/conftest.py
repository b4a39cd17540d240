"""A gateway on a loopback port, with doubles of the services behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from pydantic import SecretStr

from gateway.process import Gateway
from gateway.settings import GatewaySettings
from tests.service.gateway.doubles import SERVICE_KEY
from tests.service.gateway.live_client import LiveClient
from tests.service.gateway.suite_double import Services, running_services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PUBLIC_URL = "http://localhost:8080"
PAGE = b"<!doctype html><script>theme()</script><script src='/assets/a-1.js'></script>"


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    async for running in running_services():
        yield running


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_bytes(PAGE)
    (root / "chat.html").write_bytes(b"<!doctype html><title>chat</title>")
    (root / "embed.js").write_text("embed()")
    (root / "assets" / "a-1.js").write_text("app()")
    (tmp_path / "secret.txt").write_text("secret")
    return root


def gateway_settings(services: Services, **more: object) -> GatewaySettings:
    return GatewaySettings(
        http_listen="127.0.0.1:0",
        public_url=PUBLIC_URL,
        service_key=SecretStr(SERVICE_KEY),
        identity_address=(services.address,),
        conversation_address=(services.address,),
        messaging_address=(services.address,),
        media_address=(services.address,),
        assistant_address=(services.address,),
        realtime_address=(services.address,),
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
async def gateway(services: Services, web_root: Path) -> AsyncIterator[Gateway]:
    async with Gateway(gateway_settings(services, web_root=web_root)) as running:
        yield running


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    """A page of ours: its cookies, its header, its origin."""
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{gateway.port}",
        headers={"x-inbox-client": "web", "origin": PUBLIC_URL},
        cookie_jar=aiohttp.CookieJar(unsafe=True),
    ) as session:
        yield session


@pytest.fixture
async def new_client(
    services: Services, gateway: Gateway
) -> AsyncIterator[Callable[..., LiveClient]]:
    """Makes tabs; each is closed at the end."""
    clients: list[LiveClient] = []
    async with aiohttp.ClientSession() as http:

        def make(**more: object) -> LiveClient:
            given = {"services": services, "port": gateway.port, "http": http, **more}
            clients.append(LiveClient(**given))  # type: ignore[arg-type]
            return clients[-1]

        yield make
        for client in clients:
            await client.close()


@pytest.fixture
async def program(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    """Something that is no browser."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session:
        yield session
