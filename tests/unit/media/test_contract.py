"""MediaService's streaming handlers as gRPC sees them, through grpcio-testing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from chassis.auth import Caller, Role, current_caller
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from inbox.media import v1
from inbox.media.v1 import media_service_pb2
from services.media import actions
from services.media.actions import Means, Stored
from services.media.blobs import BlobStore
from services.media.model.files import Announcement, Media, MediaMismatch, check_received
from services.media.model.links import LinkKeys
from services.media.service import MediaService
from tests.fakes import START, FakeClock
from tests.grpc_testing_adapter import Adapter

SERVICE = media_service_pb2.DESCRIPTOR.services_by_name["MediaService"]
AGENT = Caller("member", Role.AGENT, WorkspaceId(new_id()))
CONTENT = b"0123456789"


class Admitted:
    """The servicer behind a door that let an agent in, as `chassis.rpc` does."""

    def __init__(self, servicer: MediaService) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._servicer, name)

    async def Upload(self, requests: Any, context: Any) -> v1.UploadResponse:
        current_caller.set(AGENT)
        return await self._servicer.Upload(requests, context)

    async def GetMedia(self, request: v1.GetMediaRequest, context: Any) -> v1.GetMediaResponse:
        current_caller.set(AGENT)
        return await self._servicer.GetMedia(request, context)

    async def Download(
        self, request: v1.DownloadRequest, context: Any
    ) -> AsyncIterator[v1.DownloadResponse]:
        current_caller.set(AGENT)
        async for response in self._servicer.Download(request, context):
            yield response


@pytest.fixture
def server() -> Iterator[Any]:
    means = Means(cast("Database", None), cast("BlobStore", None), FakeClock(), LinkKeys("k"))
    with Adapter(Admitted(MediaService(means)), SERVICE) as adapter:
        yield adapter.server()


def reason_of(trailing: Any) -> str:
    info = ErrorInfo()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            Status.FromString(value).details[0].Unpack(info)
    reason: str = info.reason
    return reason


def upload(server: Any, *parts: v1.UploadRequest) -> tuple[Any, grpc.StatusCode, str]:
    rpc = server.invoke_stream_unary(SERVICE.methods_by_name["Upload"], (), 5)
    for part in parts:
        rpc.send_request(part)
    rpc.requests_closed()
    response, trailing, code, _ = rpc.termination()
    return response, code, reason_of(trailing)


def header(**fields: Any) -> v1.UploadRequest:
    given: dict[str, Any] = {"request_id": new_id(), "file_name": "a"}
    given |= {"size_bytes": len(CONTENT)} | fields
    return v1.UploadRequest(header=v1.UploadHeader(**given))


def chunk(content: bytes) -> v1.UploadRequest:
    return v1.UploadRequest(chunk=content)


def a_media() -> Media:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return Media(new_id(), "a", "image/png", len(CONTENT), sha256, START)


async def swallow(
    means: Means, caller: Caller, announced: Announcement, chunks: AsyncIterator[bytes]
) -> Stored:
    """Takes every chunk, as the real action does, and keeps nothing."""
    content = b"".join([chunk async for chunk in chunks])
    check_received(announced, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    return Stored(a_media(), replayed=True)


def test_header_and_chunks_make_one_answer(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "upload", swallow)

    response, code, _ = upload(server, header(), chunk(CONTENT[:3]), chunk(CONTENT[3:]))

    assert code is grpc.StatusCode.OK
    assert response.replayed
    assert response.media.size_bytes == len(CONTENT)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "INVALID_ARGUMENT"),
        ([chunk(CONTENT)], "INVALID_ARGUMENT"),
        ([header(request_id="x")], "INVALID_ARGUMENT"),
        ([header(size_bytes=2**40)], "TOO_LARGE"),
        ([header(), header()], "INVALID_ARGUMENT"),
        ([header(), chunk(CONTENT), v1.UploadRequest()], "INVALID_ARGUMENT"),
        ([header(), chunk(CONTENT[:3])], MediaMismatch.reason),
    ],
)
def test_an_upload_that_breaks_the_order_is_refused(
    server: Any, monkeypatch: pytest.MonkeyPatch, parts: list[v1.UploadRequest], reason: str
) -> None:
    monkeypatch.setattr(actions, "upload", swallow)

    _, code, given = upload(server, *parts)

    assert (code, given) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


def test_a_download_tells_about_the_file_first(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = a_media()

    async def get_media(means: Means, caller: Caller, media_id: str) -> Media:
        return media

    async def read(
        means: Means, workspace_id: WorkspaceId, media: Media, wanted: range
    ) -> AsyncGenerator[bytes]:
        for place in wanted:
            yield CONTENT[place : place + 1]

    monkeypatch.setattr(actions, "get_media", get_media)
    monkeypatch.setattr(actions, "read", read)
    request = v1.DownloadRequest(media_id=media.id, offset_bytes=2, limit_bytes=3)
    rpc = server.invoke_unary_stream(SERVICE.methods_by_name["Download"], (), request, 5)

    first, *rest = [rpc.take_response() for _ in range(4)]
    _, code, _ = rpc.termination()

    assert code is grpc.StatusCode.OK
    assert first.media.id == media.id
    assert [response.chunk for response in rest] == [b"2", b"3", b"4"]
