"""One process from start to drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import SecretStr

from chassis.errors import CannotStart
from chassis.process import Process
from chassis.rpc import channel
from chassis.rpc.channel import Credential
from chassis.server import leaves, run
from chassis.settings import ServiceSettings
from inbox.event import v1 as event_v1
from inbox.media import v1 as media_v1
from tests.serving import SERVICE_KEY, Tokens, bearer, new_workspace_id, no_exchange

SERVICE = "inbox.media.v1.MediaService"
GET = media_v1.GetMediaRequest(media_id="x")


class Media(media_v1.MediaServiceServicer):
    """Answers once it is allowed to."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def GetMedia(self, request: Any, context: Any) -> media_v1.GetMediaResponse:
        self.arrived.set()
        await self.may_answer.wait()
        return media_v1.GetMediaResponse()

    async def Upload(self, request_iterator: Any, context: Any) -> media_v1.UploadResponse:
        return media_v1.UploadResponse()

    async def CreateLink(self, request: Any, context: Any) -> Any:
        return media_v1.CreateLinkResponse()

    async def ResolveLink(self, request: Any, context: Any) -> Any:
        return media_v1.ResolveLinkResponse()

    async def Download(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield media_v1.DownloadResponse()


class Running:
    """A process in this loop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.media = Media()
        self.is_part_there = True
        self.closed: list[str] = []
        self.port = 0
        self.tokens = Tokens()

    async def wire(self, process: Process, settings: ServiceSettings) -> None:
        async def empty_log(request: Any) -> event_v1.ReadEventsResponse:
            return event_v1.ReadEventsResponse(first_gpos=1)

        async def close(name: str) -> None:
            self.closed.append(name)

        process.on_close(lambda: close("first"))
        process.on_close(lambda: close("second"))
        process.authenticate(_Fixed(self.tokens), no_exchange, empty_log)
        process.serve(media_v1.add_MediaServiceServicer_to_server, self.media)
        process.ready_when("a part", lambda: None if self.is_part_there else "away")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Fixed:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def key(self, key_id: str) -> Any:
        return self._tokens.key if key_id == "test" else None


def settings(**fields: Any) -> ServiceSettings:
    return ServiceSettings(service_key=SecretStr(SERVICE_KEY), **fields)


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    process = Running()
    listening = asyncio.Event()

    def note(port: int) -> None:
        process.port = port
        listening.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(run("media", settings(), process.wire, stop=process.stop, listening=note))
        await listening.wait()
        yield process
        process.stop.set()


async def status_within(address: str, wanted: Any, seconds: float = 5) -> Any:
    async with grpc.aio.insecure_channel(address) as plain, asyncio.timeout(seconds):
        health = health_pb2_grpc.HealthStub(plain)
        while True:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=SERVICE))
            if answer.status == wanted:
                return answer.status
            await asyncio.sleep(0.05)


SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_health_follows_what_the_process_needs() -> None:
    async with running() as process:
        await status_within(process.address, SERVING)

        process.is_part_there = False
        await status_within(process.address, NOT_SERVING)

        process.is_part_there = True
        assert await status_within(process.address, SERVING) == SERVING


async def test_reflection_names_the_services() -> None:
    async with running() as process, grpc.aio.insecure_channel(process.address) as plain:
        ask = reflection_pb2_grpc.ServerReflectionStub(plain).ServerReflectionInfo
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in ask(iter([request]))]

    named = {service.name for service in answers[0].list_services_response.service}
    assert SERVICE in named


async def test_a_call_under_way_is_answered_while_the_process_drains() -> None:
    async with running() as process:
        process.media.may_answer.clear()
        metadata = (*bearer(SERVICE_KEY), ("x-inbox-workspace", new_workspace_id()))
        async with grpc.aio.insecure_channel(process.address) as plain:
            call = media_v1.MediaServiceStub(plain).GetMedia(GET, metadata=metadata, timeout=10)
            await process.media.arrived.wait()

            process.stop.set()
            await asyncio.sleep(0.5)
            process.media.may_answer.set()

            assert await call == media_v1.GetMediaResponse()
    assert process.closed == ["second", "first"]


async def test_a_call_finds_the_process_that_starts_a_little_later() -> None:
    async with running() as first:
        address = first.address
        credential = Credential("test", SERVICE_KEY)
    async with channel([address], credential=credential) as opened, asyncio.TaskGroup() as group:
        metadata = (("x-inbox-workspace", new_workspace_id()),)
        call = media_v1.MediaServiceStub(opened).GetMedia(GET, metadata=metadata)
        await asyncio.sleep(0.3)
        process = Running()
        group.create_task(run("media", settings(listen=address), process.wire, stop=process.stop))

        assert await call == media_v1.GetMediaResponse()
        process.stop.set()


async def test_a_stop_is_heard_while_a_process_still_waits_for_something() -> None:
    stop = asyncio.Event()

    async def wait_for_ever(process: Process, settings: ServiceSettings) -> None:
        stop.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        await run("media", settings(), wait_for_ever, stop=stop)


async def refused(start: Callable[[], Any]) -> list[BaseException]:
    with pytest.raises((CannotStart, ExceptionGroup)) as caught:
        await start()
    return list(leaves(caught.value))


async def test_no_process_listens_openly_by_accident(tmp_path: Path) -> None:
    def start(**fields: Any) -> Callable[[], Any]:
        return lambda: run("media", settings(**fields), Running().wire, stop=asyncio.Event())

    openly = await refused(start(listen="0.0.0.0:0"))
    half = await refused(start(listen="0.0.0.0:0", tls_key_file=tmp_path / "key.pem"))
    metrics = await refused(start(metrics_listen="0.0.0.0:0"))

    assert "INBOX_TRUSTED_NETWORK=1" in str(openly[0])
    assert "all of certificate, key and authority" in str(half[0])
    assert "INBOX_TRUSTED_NETWORK=1" in str(metrics[0])
