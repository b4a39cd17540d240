"""The front door, by the real Envoy in front of small servers of our own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from yarl import URL

from gateway.envoy import FrontDoor, Upstream, render
from inbox.event import v1 as event_v1
from inbox.messaging import v1 as messaging_v1
from tests.system.dev.door import LOOPBACK, OTHER_SITE, Door, open_door, until_statistic


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


async def test_every_call_of_one_connection_is_balanced_by_itself(door: Door) -> None:
    async with door.channel() as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        names = [
            (await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)).message.id
            for _ in range(40)
        ]

    seen = Counter(names)
    assert set(seen) == {"one", "two"}
    assert min(seen.values()) >= 8


async def test_a_replica_that_stops_costs_no_call(door: Door) -> None:
    async with door.channel() as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        await door.replicas[0].server.stop(0)

        names = [
            (await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)).message.id
            for _ in range(30)
        ]

    assert set(names) == {"two"}


async def test_a_replica_that_says_it_is_unwell_gets_nothing(door: Door) -> None:
    await door.replicas[1].say(health_pb2.HealthCheckResponse.NOT_SERVING)
    await until_statistic(door.admin_port, "cluster.messaging.membership_healthy", 1)

    async with door.channel() as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        names = {
            (await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)).message.id
            for _ in range(10)
        }

    assert names == {"one"}


async def test_without_any_replica_the_caller_hears_unavailable_at_once(door: Door) -> None:
    for replica in door.replicas:
        await replica.server.stop(0)
    await until_statistic(door.admin_port, "cluster.messaging.membership_healthy", 0)

    async with door.channel() as channel:
        stub = messaging_v1.MessagingServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetMessage(messaging_v1.GetMessageRequest(), timeout=5)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stream_goes_both_ways(door: Door) -> None:
    async with door.channel() as channel:
        call = messaging_v1.MessagingServiceStub(channel).SendMessages()
        for _ in range(3):
            await call.write(messaging_v1.SendMessagesRequest())
            answer = await call.read()
            assert isinstance(answer, messaging_v1.SendMessagesResponse)
        await call.done_writing()


def test_streams_have_no_time_limit_and_unary_calls_have_one() -> None:
    front = FrontDoor(
        port=1, admin_port=2,
        services={"realtime": Upstream(name="realtime", endpoints=())},
    )  # fmt: skip
    manager = render(front)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
    timeouts = {
        route["match"].get("path") or route["match"]["prefix"]: route["route"]["timeout"]
        for route in routes
        if "route" in route
    }

    assert timeouts["/inbox.realtime.v1.RealtimeService/Watch"] == "0s"
    assert timeouts["/inbox.realtime."] == "60s"


async def test_grpc_web_reaches_the_service(door: Door) -> None:
    body = b"\x00" + (0).to_bytes(4, "big")
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{door.url}/inbox.messaging.v1.MessagingService/GetMessage",
            data=base64.b64encode(body),
            headers=dict.fromkeys(("content-type", "accept"), "application/grpc-web-text"),
        ) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/grpc-web-text")
        assert answer.headers.get("grpc-status", "0") == "0"
        assert await answer.read()


async def test_a_connect_call_on_the_same_path_goes_to_the_gateway(door: Door) -> None:
    path = "/inbox.messaging.v1.MessagingService/GetMessage"
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            door.url + path, data=b"{}", headers={"content-type": "application/json"}
        ) as answer,
    ):
        seen = await answer.json()

    assert seen["path"] == path
    assert sum(replica.servicer.calls for replica in door.replicas) == 0


@pytest.mark.parametrize("path", ["/ws", "/ws/chat"])
async def test_a_socket_reaches_the_gateway(door: Door, path: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(door.url + path) as socket:
        await socket.send_str("hola")
        assert await socket.receive_str(timeout=5) == "echo hola"


async def test_no_other_path_is_upgraded(door: Door) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(door.url + "/elsewhere")


async def test_services_own_rpcs_are_not_reachable_from_outside(door: Door) -> None:
    async with door.channel() as channel:
        stub = event_v1.EventLogServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ReadEvents(event_v1.ReadEventsRequest(), timeout=5)
        checker = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.aio.AioRpcError):
            await checker.Check(health_pb2.HealthCheckRequest(), timeout=5)

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6detrics", "/x/../metrics?a=b"])
async def test_metrics_are_not_reachable_from_outside(door: Door, path: str) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(URL(door.url + path, encoded=True)) as answer,
    ):
        assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/inbox.messaging.v1.MessagingService/GetMessage", 4 * 2**20 + 64 * 2**10),
        ("/webhooks/simulator/x", 2**20),
        ("/auth/sign-in", 64 * 2**10),
    ],
)
async def test_a_body_above_the_limit_does_not_reach_the_gateway(
    door: Door, path: str, limit: int
) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.post(door.url + path, data=io.BytesIO(b"x" * limit)) as answer:
            assert answer.status == 200
            assert (await answer.json())["size"] == limit
        with contextlib.suppress(aiohttp.ClientError):  # the door may close before all is sent
            async with client.post(door.url + path, data=io.BytesIO(b"x" * (limit + 1))) as answer:
                assert answer.status == 413


async def test_the_answer_tells_nothing_about_who_gave_it(door: Door) -> None:
    async with aiohttp.ClientSession() as client, client.get(door.url + "/") as answer:
        names = {name.lower() for name in answer.headers}

    assert "server" not in names
    assert not any(name.startswith("x-envoy") for name in names)


async def test_the_callers_address_is_the_connections_not_what_it_claims(door: Door) -> None:
    claimed = {"x-forwarded-for": "203.0.113.7", "x-envoy-expected-rq-timeout-ms": "1"}
    async with (
        aiohttp.ClientSession() as client,
        client.get(door.url + "/", headers=claimed) as answer,
    ):
        forwarded = (await answer.json())["forwarded"]

    # Envoy writes the machine's own address for a caller on loopback.
    assert forwarded.split(",")[-1].strip() != "203.0.113.7"


async def test_only_listed_sites_may_call_and_never_with_our_cookie(door: Door) -> None:
    asking = {"access-control-request-method": "POST"}
    path = door.url + "/inbox.messaging.v1.MessagingService/GetMessage"
    async with aiohttp.ClientSession() as client:
        async with client.options(path, headers={"origin": OTHER_SITE, **asking}) as listed:
            assert listed.headers["access-control-allow-origin"] == OTHER_SITE
            assert "access-control-allow-credentials" not in listed.headers
        async with client.options(
            path, headers={"origin": "https://evil.example", **asking}
        ) as other:
            assert "access-control-allow-origin" not in other.headers


async def test_an_escaped_slash_is_refused(door: Door) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, door.port)
    writer.write(b"GET /inbox.event.%2fx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in line
