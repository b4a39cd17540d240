"""What stands around every handler, over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.auth import Role, current_caller, require_caller
from chassis.errors import FieldInvalid, NotFound
from chassis.rpc import Channel, current_call, remote_fault
from inbox.media import v1 as media_v1
from inbox.realtime import v1 as realtime_v1
from tests.fakes import FakeClock
from tests.serving import Serving, bearer, new_workspace_id, serving

WORKSPACE = new_workspace_id()


class NoMedia(NotFound):
    reason = "MEDIA_NOT_FOUND"

    def __str__(self) -> str:
        return "no such file"


class Media(media_v1.MediaServiceServicer):
    """A servicer whose answers tests choose."""

    def __init__(self) -> None:
        self.raises: BaseException | None = None
        self.seen: list[Any] = []

    async def GetMedia(self, request: Any, context: Any) -> media_v1.GetMediaResponse:
        self.seen.append(require_caller())
        if self.raises is not None:
            raise self.raises
        return media_v1.GetMediaResponse()

    async def Upload(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> media_v1.UploadResponse:
        async for request in request_iterator:
            self.seen.append(request)
        return media_v1.UploadResponse()

    async def CreateLink(self, request: Any, context: Any) -> Any:
        return media_v1.CreateLinkResponse()

    async def ResolveLink(self, request: Any, context: Any) -> Any:
        return media_v1.ResolveLinkResponse()

    async def Download(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for _ in range(3):
            yield media_v1.DownloadResponse(chunk=b"abc")
        if self.raises is not None:
            raise self.raises


class Realtime(realtime_v1.RealtimeServiceServicer):
    """A stream that lasts."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield realtime_v1.WatchResponse()
                await asyncio.sleep(0.01)
        finally:
            self.ended.set()

    async def WatchWorkspaces(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield realtime_v1.WatchWorkspacesResponse()

    async def PublishPresence(self, request: Any, context: Any) -> Any:
        return realtime_v1.PublishPresenceResponse()

    async def PublishAiActivity(self, request: Any, context: Any) -> Any:
        return realtime_v1.PublishAiActivityResponse()


@pytest.fixture
def media() -> Media:
    return Media()


@pytest.fixture
def realtime() -> Realtime:
    return Realtime()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(media: Media, realtime: Realtime, clock: FakeClock) -> AsyncIterator[Serving]:
    async with serving(
        (media_v1.add_MediaServiceServicer_to_server, media),
        (realtime_v1.add_RealtimeServiceServicer_to_server, realtime),
        clock=clock,
    ) as running:
        yield running


def stub(channel: Channel) -> media_v1.MediaServiceStub:
    return media_v1.MediaServiceStub(channel)


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    fault = remote_fault(caught.value)
    return fault.code, fault.reason


GET = media_v1.GetMediaRequest(media_id="x")


async def test_a_member_is_let_in_and_the_handler_knows_them(server: Serving, media: Media) -> None:
    channel = server.channel(Role.AGENT, WORKSPACE, display_name="Ana")

    await stub(channel).GetMedia(GET)

    assert media.seen[0].display_name == "Ana"
    assert media.seen[0].workspace_id == WORKSPACE


async def test_an_unexpected_error_tells_the_request_id_and_nothing_else(
    server: Serving, media: Media
) -> None:
    media.raises = ValueError("secret words")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(server.channel(Role.AGENT, WORKSPACE)).GetMedia(
            GET, metadata=(("x-request-id", "abc"),)
        )

    fault = remote_fault(caught.value)
    assert (fault.code, fault.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert fault.metadata == {"request_id": "abc"}
    assert "secret" not in fault.message


async def test_a_fault_arrives_with_code_reason_and_values(server: Serving, media: Media) -> None:
    media.raises = FieldInvalid(field="media_id", rule="must be a UUID")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(server.channel(Role.AGENT, WORKSPACE)).GetMedia(GET)

    fault = remote_fault(caught.value)
    assert (fault.code, fault.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert fault.metadata == {"field": "media_id", "rule": "must be a UUID"}


async def test_a_fault_inside_a_task_group_is_found(server: Serving, media: Media) -> None:
    media.raises = BaseExceptionGroup("", [NoMedia()])

    answer = await refusal(stub(server.channel(Role.AGENT, WORKSPACE)).GetMedia(GET))

    assert answer == (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")


async def test_malformed_bytes_are_the_callers_fault(server: Serving) -> None:
    channel = server.channel(Role.AGENT, WORKSPACE)

    for shape in (channel.unary_unary, channel.unary_stream):
        method = "GetMedia" if shape == channel.unary_unary else "Download"
        call = shape(f"/inbox.media.v1.MediaService/{method}")(b"\xff\xff\xff", timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            if method == "GetMedia":
                await call
            else:
                await call.read()
        assert remote_fault(caught.value).reason == "INVALID_ARGUMENT"


async def test_a_nul_in_text_is_refused_before_the_handler(server: Serving, media: Media) -> None:
    request = media_v1.GetMediaRequest(media_id="a\x00b")

    answer = await refusal(stub(server.channel(Role.AGENT, WORKSPACE)).GetMedia(request))

    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert media.seen == []


async def test_a_message_above_the_limit_is_refused_with_the_limit(server: Serving) -> None:
    request = media_v1.GetMediaRequest(media_id="x" * (4 * 1024 * 1024 + 1))

    answer = await refusal(stub(server.channel(Role.AGENT, WORKSPACE)).GetMedia(request))

    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "TOO_LARGE")


async def test_an_unknown_method_is_named_as_such(server: Serving) -> None:
    call = server.channel(Role.AGENT, WORKSPACE).unary_unary("/inbox.media.v1.MediaService/No")

    answer = await refusal(call(b"", timeout=5))

    assert answer == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_NOT_FOUND")


async def test_a_call_without_a_deadline_or_with_too_long_a_one_is_refused(
    server: Serving,
) -> None:
    async with grpc.aio.insecure_channel(server.address) as plain:
        get = media_v1.MediaServiceStub(plain).GetMedia
        metadata = server.tokens.metadata(Role.AGENT, WORKSPACE)

        without = await refusal(get(GET, metadata=metadata))
        too_long = await refusal(get(GET, metadata=metadata, timeout=90))

    assert without == too_long == (grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED")


async def test_who_shows_no_credential_or_a_bad_one_is_not_let_in(server: Serving) -> None:
    none = await refusal(stub(server.channel_with(())).GetMedia(GET))
    nonsense = await refusal(stub(server.channel_with(bearer("nonsense"))).GetMedia(GET))
    basic = (("authorization", "Basic abc"),)
    other_scheme = await refusal(stub(server.channel_with(basic)).GetMedia(GET))
    wrong_key = bearer("service." + "x" * 40)
    forged = await refusal(stub(server.channel_with(wrong_key)).GetMedia(GET))

    assert none == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_MISSING")
    assert nonsense == other_scheme == forged
    assert forged == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")


async def test_a_role_that_is_not_on_the_list_is_refused(server: Serving) -> None:
    channel = server.channel(Role.BOT, WORKSPACE)

    answer = await refusal(
        realtime_v1.RealtimeServiceStub(channel).PublishPresence(
            realtime_v1.PublishPresenceRequest()
        )
    )

    assert answer == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


async def test_a_service_acts_in_the_workspace_it_names(server: Serving, media: Media) -> None:
    channel = server.service_channel()

    await stub(channel).GetMedia(GET, metadata=(("x-inbox-workspace", WORKSPACE),))
    without = await refusal(stub(channel).GetMedia(GET))

    assert media.seen[0].role is Role.SERVICE
    assert media.seen[0].workspace_id == WORKSPACE
    assert without[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_streams_of_all_shapes_carry_messages_and_faults(
    server: Serving, media: Media
) -> None:
    channel = server.channel(Role.AGENT, WORKSPACE)

    async def chunks() -> AsyncIterator[media_v1.UploadRequest]:
        for _ in range(3):
            yield media_v1.UploadRequest(chunk=b"abc")

    await stub(channel).Upload(chunks(), timeout=5)
    download = stub(channel).Download(media_v1.DownloadRequest(), timeout=5)
    received = [response.chunk async for response in download]
    media.raises = NoMedia()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for response in stub(channel).Download(media_v1.DownloadRequest(), timeout=5):
            received += [response.chunk]

    assert len(media.seen) == 3
    assert received == [b"abc"] * 6
    assert remote_fault(caught.value).reason == "MEDIA_NOT_FOUND"


@pytest.mark.parametrize("timeout", [None, 86_400.0], ids=["without a deadline", "with a far one"])
async def test_a_stream_ends_when_its_credential_is_revoked(
    server: Serving, realtime: Realtime, timeout: float | None
) -> None:
    channel = server.channel(Role.AGENT, WORKSPACE, credential_id="session-1")
    stub = realtime_v1.RealtimeServiceStub(channel)
    watch = stub.Watch(realtime_v1.WatchRequest(), timeout=timeout)
    await watch.read()

    server.revocations.end("session-1")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with asyncio.timeout(5):
            while True:
                await watch.read()
    assert remote_fault(caught.value).reason == "CREDENTIAL_INVALID"
    async with asyncio.timeout(5):
        await realtime.ended.wait()


async def test_a_client_that_goes_away_ends_the_handler(
    server: Serving, realtime: Realtime
) -> None:
    channel = server.channel(Role.AGENT, WORKSPACE)
    watch = realtime_v1.RealtimeServiceStub(channel).Watch(realtime_v1.WatchRequest())
    await watch.read()

    watch.cancel()

    async with asyncio.timeout(5):
        await realtime.ended.wait()


async def test_who_calls_too_often_is_told_when_to_come_back(media: Media) -> None:
    clock = FakeClock()
    async with serving(
        (media_v1.add_MediaServiceServicer_to_server, media),
        clock=clock,
        calls_per_second=2,
        calls_burst=2,
    ) as server:
        get = stub(server.channel(Role.AGENT, WORKSPACE, id="ana")).GetMedia
        await get(GET)
        await get(GET)

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get(GET)
        await stub(server.channel(Role.AGENT, WORKSPACE, id="ben")).GetMedia(GET)
        clock.advance(timedelta(milliseconds=500))
        await get(GET)

    fault = remote_fault(caught.value)
    assert (fault.code, fault.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert fault.retry_after == timedelta(milliseconds=500)


async def test_outside_of_a_call_there_is_no_caller() -> None:
    assert current_caller.get() is None
    assert current_call.get() is None
