"""`python -m gateway` as a process: settings, readiness, several on one port, SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from suite.infra.ports import free_port
from suite.settings import ROOT, python_environment
from tests.service.gateway.conftest import PUBLIC_URL
from tests.service.gateway.doubles import SERVICE_KEY
from tests.service.gateway.live_client import LiveClient, snapshot

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.service.gateway.suite_double import Services

START_SECONDS = 20.0


def environment(services: Services, port: int, **more: str) -> dict[str, str]:
    names = ("IDENTITY", "CONVERSATION", "MESSAGING", "MEDIA", "ASSISTANT", "REALTIME")
    return {
        **python_environment(),
        "INBOX_HTTP_LISTEN": f"127.0.0.1:{port}",
        "INBOX_PUBLIC_URL": PUBLIC_URL,
        "INBOX_SERVICE_KEY": SERVICE_KEY,
        **{f"INBOX_{name}_ADDRESS": services.address for name in names},
        **more,
    }


async def start(told: dict[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        cwd=ROOT,
        env=told,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def running(told: dict[str, str]) -> AsyncIterator[Process]:
    process = await start(told)
    try:
        await wait_until_ready(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def wait_until_ready(process: Process) -> None:
    """Several share a port, so asking there would not tell which of them answered."""
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        await process.stdout.readuntil(b"gateway_started")


async def test_sigterm_sends_sockets_away_and_ends_within_eight_seconds(
    services: Services,
) -> None:
    port = free_port()
    told = environment(services, port)
    async with running(told) as process, aiohttp.ClientSession() as http:
        clients = [LiveClient(services, port, http, member_id=f"m{n}") for n in range(20)]
        for client in clients:
            await client.connect()

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        for client in clients:
            await client.until("reconnect")
            assert (await client.closing()).code == 1012
        async with asyncio.timeout(8):
            assert await process.wait() == 0
        assert time.monotonic() - began < 8


async def test_two_processes_share_a_port_and_one_may_be_killed(services: Services) -> None:
    port = free_port()
    told = environment(services, port, INBOX_REUSE_PORT="1")
    async with (
        running(told) as one,
        running(told),
        aiohttp.ClientSession() as http,
    ):
        clients = [LiveClient(services, port, http, member_id=f"m{n}") for n in range(20)]
        for client in clients:
            await client.connect()
        seen = services.log.message("before")
        for client in clients:
            await client.until_seen(seen.id)

        one.kill()
        await one.wait()
        services.log.message("meanwhile")
        for client in clients:
            client.cut()
            await client.connect()
        last = services.log.message("after")

        for client in clients:
            await client.until_seen(last.id)
            assert client.snapshots == 1
            assert set(client.seen.values()) == {1}
            assert client.versions == snapshot(services)


async def test_every_bad_setting_is_named_at_once(services: Services) -> None:
    told = environment(services, 0, INBOX_PUBLIC_URL="inbox.example", INBOX_SERVICE_KEY="secret")

    process = await start(told)
    output, _ = await process.communicate()

    assert process.returncode == 78
    assert b"INBOX_PUBLIC_URL" in output
    assert b"INBOX_SERVICE_KEY" in output
    assert b"secret\n" not in output


@pytest.mark.parametrize(("trusted", "code"), [("", 78), ("1", None)])
async def test_an_open_network_must_be_vouched_for(
    services: Services, trusted: str, code: int | None
) -> None:
    port = free_port()
    told = environment(services, port, INBOX_TRUSTED_NETWORK=trusted)
    told["INBOX_HTTP_LISTEN"] = f"0.0.0.0:{port}"

    process = await start(told)
    try:
        if code is None:
            await wait_until_ready(process)
        else:
            output, _ = await process.communicate()
            assert process.returncode == code
            assert b"INBOX_TRUSTED_NETWORK" in output
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
