"""Between processes beyond loopback: both sides show a certificate, or there is no talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from pydantic import SecretStr

from chassis import tls
from chassis.rpc import channel
from chassis.rpc.channel import Credential
from chassis.server import run
from chassis.settings import ServiceSettings
from inbox.media import v1 as media_v1
from tests.authority import Authority
from tests.service.chassis.test_server import GET, Running
from tests.serving import SERVICE_KEY, new_workspace_id

METADATA = (("x-inbox-workspace", new_workspace_id()),)


def settings(authority: Authority, name: str) -> ServiceSettings:
    certificate, key = authority.issue(name)
    return ServiceSettings(
        service_key=SecretStr(SERVICE_KEY),
        tls_certificate_file=certificate,
        tls_key_file=key,
        tls_authority_file=authority.file,
    )


@asynccontextmanager
async def a_service(of: ServiceSettings) -> AsyncIterator[Running]:
    process, listening = Running(), asyncio.Event()

    def note(port: int) -> None:
        process.port = port
        listening.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(run("media", of, process.wire, stop=process.stop, listening=note))
        await listening.wait()
        yield process
        process.stop.set()


async def knock(address: str, credentials: grpc.ChannelCredentials | None) -> Any:
    credential = Credential("test", SERVICE_KEY)
    async with channel([address], credential=credential, tls=credentials) as opened:
        return await media_v1.MediaServiceStub(opened).GetMedia(
            GET, metadata=METADATA, timeout=5, wait_for_ready=False
        )


async def test_only_who_shows_a_certificate_of_ours_is_spoken_to(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    peer = tls.channel_credentials(settings(ours, "peer"))
    stranger = tls.channel_credentials(settings(theirs, "stranger"))
    without = grpc.ssl_channel_credentials(ours.file.read_bytes())

    async with a_service(settings(ours, "media")) as process:
        address = process.address
        assert await knock(address, peer) == media_v1.GetMediaResponse()
        for credentials in (stranger, without, None):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await knock(address, credentials)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_with_tls_a_service_may_listen_beyond_loopback(tmp_path: Path) -> None:
    of = settings(Authority(tmp_path / "ours"), "media")

    tls.refuse_open_network("0.0.0.0:7102", of)


async def test_calls_are_spread_over_replicas_and_go_on_when_one_is_gone() -> None:
    plain = ServiceSettings(service_key=SecretStr(SERVICE_KEY))
    async with a_service(plain) as first:
        async with a_service(plain) as second:
            both = [first.address, second.address]
            opened = channel(both, credential=Credential("test", SERVICE_KEY))
            stub = media_v1.MediaServiceStub(opened)
            async with asyncio.timeout(5):
                while not (first.media.arrived.is_set() and second.media.arrived.is_set()):
                    await stub.GetMedia(GET, metadata=METADATA)
        for _ in range(20):
            await stub.GetMedia(GET, metadata=METADATA)
        await opened.close()
