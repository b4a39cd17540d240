"""MediaService on a loopback port, over each kind of blob store."""

from __future__ import annotations

import asyncio
import hashlib
import random
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import WorkspaceId, new_id
from chassis.rpc import RemoteFault, remote_fault
from inbox.media import v1 as media_v1
from services.media.actions import Means
from services.media.model.files import MAX_MEDIA_BYTES
from services.media.service import MediaService
from tests.serving import Serving, new_workspace_id, serving

CONTENT = random.Random(1).randbytes(800_000)
CALL_WITHIN = 30.0
TRANSFER_WITHIN = 100.0
WRITERS = {Role.OWNER, Role.AGENT, Role.BOT, Role.SERVICE}
READERS = WRITERS | {Role.READ_ONLY}


@pytest.fixture
async def server(means: Means) -> AsyncIterator[Serving]:
    async with serving(
        (media_v1.add_MediaServiceServicer_to_server, MediaService(means))
    ) as server:
        yield server


@pytest.fixture
def workspace_id() -> WorkspaceId:
    return new_workspace_id()


@pytest.fixture
def stub(server: Serving, workspace_id: WorkspaceId) -> media_v1.MediaServiceStub:
    return media_v1.MediaServiceStub(server.channel(Role.AGENT, workspace_id))


def an_upload(
    content: bytes = CONTENT, *, chunk: int = 300_000, **header: Any
) -> Iterator[media_v1.UploadRequest]:
    given: dict[str, Any] = {"request_id": new_id(), "file_name": "a.bin"}
    given |= {"size_bytes": len(content)} | header
    yield media_v1.UploadRequest(header=media_v1.UploadHeader(**given))
    for start in range(0, len(content), chunk):
        yield media_v1.UploadRequest(chunk=content[start : start + chunk])


async def uploaded(
    stub: media_v1.MediaServiceStub, content: bytes = CONTENT, **options: Any
) -> media_v1.UploadResponse:
    return await stub.Upload(an_upload(content, **options), timeout=CALL_WITHIN)


async def downloaded(
    stub: media_v1.MediaServiceStub, media_id: str, **window: Any
) -> tuple[media_v1.Media, bytes]:
    parts = [
        part
        async for part in stub.Download(
            media_v1.DownloadRequest(media_id=media_id, **window),
            timeout=CALL_WITHIN,
        )
    ]
    assert all(len(part.chunk) <= 256 * 1024 for part in parts)
    assert not any(part.HasField("media") for part in parts[1:])
    return parts[0].media, b"".join(part.chunk for part in parts)


async def refusal(call: Awaitable[Any]) -> RemoteFault:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return remote_fault(refused.value)


async def test_a_file_comes_back_as_it_was(stub: media_v1.MediaServiceStub) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()

    response = await uploaded(
        stub, file_name="C:\\photos\\cat.png", content_type="image/png", sha256=digest
    )

    media = response.media
    assert not response.replayed
    assert (media.file_name, media.content_type) == ("cat.png", "image/png")
    assert (media.size_bytes, media.sha256) == (len(CONTENT), digest)
    assert (await stub.GetMedia(media_v1.GetMediaRequest(media_id=media.id))).media == media
    assert await downloaded(stub, media.id) == (media, CONTENT)


@pytest.mark.parametrize(
    ("content", "sniffed_type", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", media_v1.MEDIA_KIND_IMAGE),
        (b"<svg onload='alert(1)'/>", "text/plain", media_v1.MEDIA_KIND_DOCUMENT),
        (CONTENT, "application/octet-stream", media_v1.MEDIA_KIND_DOCUMENT),
    ],
)
async def test_the_bytes_say_what_a_file_is_and_the_announced_type_does_not(
    stub: media_v1.MediaServiceStub, content: bytes, sniffed_type: str, kind: int
) -> None:
    media = (await uploaded(stub, content, content_type="image/jpeg", chunk=3_000)).media

    assert (media.sniffed_type, media.kind) == (sniffed_type, kind)
    assert (media.content_type, media.state) == ("image/jpeg", media_v1.MEDIA_STATE_READY)


async def test_an_empty_file_and_a_crumbled_one_are_stored(stub: media_v1.MediaServiceStub) -> None:
    empty = (await uploaded(stub, b"")).media
    crumbled = (await uploaded(stub, b"0123456789", chunk=1)).media

    assert (await downloaded(stub, empty.id))[1] == b""
    assert (await downloaded(stub, crumbled.id))[1] == b"0123456789"


async def test_part_of_a_file_can_be_read(stub: media_v1.MediaServiceStub) -> None:
    media = (await uploaded(stub)).media

    assert (await downloaded(stub, media.id, offset_bytes=799_990))[1] == CONTENT[799_990:]
    assert (await downloaded(stub, media.id, offset_bytes=5, limit_bytes=300_000))[1] == (
        CONTENT[5:300_005]
    )
    assert (await downloaded(stub, media.id, offset_bytes=800_000))[1] == b""
    beyond = await refusal(downloaded(stub, media.id, offset_bytes=800_001))
    assert beyond.code is grpc.StatusCode.OUT_OF_RANGE


async def test_a_repeated_upload_returns_the_same_file(stub: media_v1.MediaServiceStub) -> None:
    request_id = new_id()
    first = await uploaded(stub, request_id=request_id)

    async with asyncio.TaskGroup() as group:
        again = [group.create_task(uploaded(stub, request_id=request_id)) for _ in range(3)]

    for task in again:
        assert task.result().replayed
        assert task.result().media == first.media


@pytest.mark.parametrize(
    "other", [{"content": b"other"}, {"file_name": "b.bin"}, {"content_type": "image/png"}]
)
async def test_a_request_id_stands_for_one_file(
    stub: media_v1.MediaServiceStub, other: dict[str, Any]
) -> None:
    request_id = new_id()
    await uploaded(stub, request_id=request_id)

    fault = await refusal(uploaded(stub, request_id=request_id, **other))

    assert fault.reason == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"size_bytes": len(CONTENT) + 1}, "MEDIA_MISMATCH"),
        ({"size_bytes": len(CONTENT) - 1}, "MEDIA_MISMATCH"),
        ({"size_bytes": 0}, "MEDIA_MISMATCH"),
        ({"sha256": "0" * 64}, "MEDIA_MISMATCH"),
        ({"size_bytes": MAX_MEDIA_BYTES + 1}, "TOO_LARGE"),
        ({"size_bytes": -1}, "INVALID_ARGUMENT"),
        ({"sha256": "no digest"}, "INVALID_ARGUMENT"),
        ({"request_id": ""}, "INVALID_ARGUMENT"),
        ({"content_type": "a\r\nb"}, "INVALID_ARGUMENT"),
        ({"file_name": "a\x00b"}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_does_not_fit_its_announcement_is_not_stored(
    stub: media_v1.MediaServiceStub, means: Means, header: dict[str, Any], reason: str
) -> None:
    fault = await refusal(uploaded(stub, **header))

    assert fault.reason == reason
    assert list(means.blobs.staging.iterdir()) == []


@pytest.mark.parametrize("blobs", ["memory"], indirect=True)
@pytest.mark.parametrize(("bound", "taken_count"), [(32 * 1024 * 1024, 6), (500_000, None)])
async def test_a_refused_client_hears_why_also_while_it_still_uploads(
    server: Serving,
    workspace_id: WorkspaceId,
    monkeypatch: pytest.MonkeyPatch,
    bound: int,
    taken_count: int | None,
) -> None:
    monkeypatch.setattr("chassis.rpc.guard.MAX_SWALLOWED_BYTES", bound)
    taken: list[media_v1.UploadRequest] = []

    async def slowly() -> AsyncIterator[media_v1.UploadRequest]:
        for part in an_upload(bytes(1_500_000), size_bytes=-1):
            taken.append(part)
            yield part
            await asyncio.sleep(0.02)

    read_only = media_v1.MediaServiceStub(server.channel(Role.READ_ONLY, workspace_id))
    agent = media_v1.MediaServiceStub(server.channel(Role.AGENT, workspace_id))

    for stub, reason in ((agent, "INVALID_ARGUMENT"), (read_only, "ROLE_NOT_ALLOWED")):
        taken.clear()
        fault = await refusal(stub.Upload(slowly(), timeout=CALL_WITHIN))

        assert fault.reason == reason
        # A call that ended while its client was writing reports the failed write instead.
        assert len(taken) == taken_count or (taken_count is None and len(taken) < 6)


async def test_an_upload_without_order_is_refused(stub: media_v1.MediaServiceStub) -> None:
    header, *chunks = an_upload()
    large = media_v1.UploadRequest(chunk=b"x" * (1024 * 1024 + 1))

    for parts, field in (
        ([], "header"),
        (chunks, "header"),
        ([media_v1.UploadRequest()], "header"),
        ([header, header], "chunk"),
        ([header, media_v1.UploadRequest()], "chunk"),
        ([header, large], "chunk"),
    ):
        fault = await refusal(stub.Upload(iter(parts), timeout=CALL_WITHIN))
        assert (fault.reason, fault.metadata["field"]) == ("INVALID_ARGUMENT", field)


async def test_a_foreign_file_looks_like_none(
    server: Serving, stub: media_v1.MediaServiceStub
) -> None:
    media = (await uploaded(stub)).media
    stranger = media_v1.MediaServiceStub(server.channel(Role.OWNER, new_workspace_id()))

    for media_id in (media.id, new_id()):
        got = await refusal(stranger.GetMedia(media_v1.GetMediaRequest(media_id=media_id)))
        read = await refusal(downloaded(stranger, media_id))
        assert got.reason == read.reason == "MEDIA_NOT_FOUND"
        assert got.code is read.code is grpc.StatusCode.NOT_FOUND


async def test_equal_bytes_in_two_workspaces_are_two_files(
    server: Serving, stub: media_v1.MediaServiceStub
) -> None:
    other = media_v1.MediaServiceStub(server.channel(Role.OWNER, new_workspace_id()))
    request_id = new_id()

    ours = await uploaded(stub, request_id=request_id)
    theirs = await uploaded(other, request_id=request_id)

    assert not theirs.replayed
    assert ours.media.id != theirs.media.id
    assert (await downloaded(other, theirs.media.id))[1] == CONTENT


@pytest.mark.parametrize("role", Role)
async def test_each_method_is_for_the_roles_of_its_policy(
    server: Serving, stub: media_v1.MediaServiceStub, workspace_id: WorkspaceId, role: Role
) -> None:
    media = (await uploaded(stub, b"x")).media
    caller = media_v1.MediaServiceStub(server.channel(role, workspace_id))
    calls: dict[str, tuple[set[Role], Callable[[], Awaitable[Any]]]] = {
        "Upload": (WRITERS, lambda: uploaded(caller, b"x")),
        "GetMedia": (
            READERS,
            lambda: caller.GetMedia(media_v1.GetMediaRequest(media_id=media.id)),
        ),
        "Download": (READERS, lambda: downloaded(caller, media.id)),
        "CreateLink": (
            READERS,
            lambda: caller.CreateLink(media_v1.CreateLinkRequest(media_id=media.id)),
        ),
        "ResolveLink": (set(), lambda: caller.ResolveLink(media_v1.ResolveLinkRequest(link="x"))),
    }

    for allowed, call in calls.values():
        if role in allowed:
            await call()
        else:
            assert (await refusal(call())).reason == "ROLE_NOT_ALLOWED"


@pytest.mark.parametrize("blobs", ["folder", "bucket"], indirect=True)
async def test_a_large_file_costs_little_memory(stub: media_v1.MediaServiceStub) -> None:
    """At 2 GiB it is the same: nothing here grows with the file."""
    part_count, part = 256, bytes(1024 * 1024)

    def parts() -> Iterator[media_v1.UploadRequest]:
        header = media_v1.UploadHeader(request_id=new_id(), size_bytes=part_count * len(part))
        yield media_v1.UploadRequest(header=header)
        for _ in range(part_count):
            yield media_v1.UploadRequest(chunk=part)

    await uploaded(stub, bytes(4 * 1024 * 1024), chunk=len(part))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    media = (await stub.Upload(parts(), timeout=TRANSFER_WITHIN)).media
    read_bytes = 0
    async for response in stub.Download(
        media_v1.DownloadRequest(media_id=media.id), timeout=TRANSFER_WITHIN
    ):
        read_bytes += len(response.chunk)

    assert read_bytes == media.size_bytes == part_count * len(part)
    # Client and server share this process; kilobytes on Linux.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
