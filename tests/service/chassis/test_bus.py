"""The bus: sessions come and go, servers that cannot carry the log are refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from chassis.bus import Bus, BusUnavailable
from chassis.bus_faults import WrongServer
from chassis.durability import check_synced
from chassis.messages import Outgoing
from suite.infra.nats import prepare_nats, wait_for_nats
from suite.infra.ports import free_port
from suite.infra.program import start, stop
from tests.servers import STOP_WITHIN, breakable_nats
from tests.service.chassis.eventing import connected_bus, running, until


async def test_messages_carry_what_was_given_and_a_request_to_nobody_fails(nats_url: str) -> None:
    heard: list[Msg] = []
    async with connected_bus(nats_url) as bus, connected_bus(nats_url) as other:
        await bus.subscribe("told.*", heard.append)
        # Its answer comes after the server has taken in the subscription.
        with pytest.raises(BusUnavailable):
            await bus.request(Outgoing("nobody.listens"))
        await other.publish(
            Outgoing("told.plain", b"\r\nPING\r\n"),
            Outgoing("told.empty"),
            Outgoing("told.headed", b"\x00\xff" * 50, "Name: value\r\nOther: två\r\n"),
        )
        await until(lambda: len(heard) == 3)

    assert [(one.subject, one.data) for one in heard] == [
        ("told.plain", b"\r\nPING\r\n"),
        ("told.empty", b""),
        ("told.headed", b"\x00\xff" * 50),
    ]
    assert heard[2].headers == {"Name": "value", "Other": "två"}


async def test_a_connection_that_breaks_under_unwritten_words_is_replaced(tmp_path: Path) -> None:
    """nats-py gives no word of this end: its own clean-up fails before."""
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        async with running(bus.run):
            first = await bus.wait_connected()
            client = bus._client
            assert client is not None
            client._pending.append(b"PING\r\n")
            client._pending_data_size += len(client._pending[-1])

            async def broken() -> None:
                raise ConnectionResetError

            client._transport.drain = broken  # type: ignore[union-attr,method-assign]
            await server.in_thread(server.kill)
            server.start()

            await until(lambda: bus.session == first + 1)


async def test_a_lost_connection_ends_what_waits_and_subscriptions_live_on(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with breakable_nats(tmp_path) as server:
        bus = Bus(server.server.url, name="test")
        await bus.subscribe("kept", lambda message: heard.append(message.data))
        async with running(bus.run):
            first = await bus.wait_connected()
            await bus.subscribe("silent", lambda message: None)
            asked = asyncio.ensure_future(bus.request(Outgoing("silent")))
            await asyncio.sleep(0.1)
            await server.in_thread(server.kill)
            with pytest.raises(BusUnavailable):
                await asyncio.wait_for(asked, 2)
            with pytest.raises(BusUnavailable):
                await bus.publish(Outgoing("kept", b"lost"))
            server.start()
            assert await bus.wait_connected() > first
            await bus.publish(Outgoing("kept", b"again"))
            await until(lambda: heard == [b"again"])


@contextmanager
def monitored_nats(directory: Path, sync_interval: str) -> Iterator[tuple[str, str]]:
    server = prepare_nats(directory, port=free_port(), monitor_port=free_port())
    program = server.program(directory / "nats.log")
    configuration = server.configuration()
    configuration["jetstream"]["sync_interval"] = sync_interval
    (directory / "nats.conf").write_text(json.dumps(configuration))
    process = start(program)
    try:
        wait_for_nats(server, process, program.log)
        yield server.url, server.monitor_url
    finally:
        stop(process, program, within=STOP_WITHIN)


async def test_a_server_that_does_not_sync_every_write_is_refused(tmp_path: Path) -> None:
    with monitored_nats(tmp_path, "2m") as (url, monitor_url):
        with pytest.raises(WrongServer, match="sync_interval: always"):
            await check_synced(monitor_url)
        bus = Bus(url, name="test", monitor_url=monitor_url)
        async with running(bus.run):
            await until(lambda: "sync_interval" in (bus.trouble or ""))
            assert not bus.is_connected


async def test_a_server_that_syncs_every_write_is_taken(tmp_path: Path) -> None:
    with monitored_nats(tmp_path, "always") as (url, monitor_url):
        bus = Bus(url, name="test", monitor_url=monitor_url)
        async with running(bus.run):
            await asyncio.wait_for(bus.wait_connected(), 5)
    with pytest.raises(OSError, match="no answer"):
        await check_synced(monitor_url)
