"""The contract of a blob store, over a folder, an S3-compatible server and memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.clock import SystemClock
from chassis.ids import WorkspaceId, new_id
from services.media.blobs import (
    READ_BYTES,
    BlobMissing,
    BlobStore,
    BlobStoreUnavailable,
    FolderBlobs,
    staging,
    sweep_staging,
)
from services.media.model.files import blob_key
from suite.databases import DatabaseUrls
from tests.service.media.conftest import bucket_blobs

CONTENT = random.Random(1).randbytes(1_200_000)


def fresh_key(content: bytes = CONTENT) -> str:
    return blob_key(WorkspaceId(new_id()), hashlib.sha256(content).hexdigest())


async def keep(blobs: BlobStore, key: str, content: bytes, *, chunk: int = 100_000) -> None:
    async with staging(blobs) as staged:
        for start in range(0, len(content), chunk):
            await staged.write(content[start : start + chunk])
        await staged.finish()
        assert (staged.size_bytes, staged.sha256) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        await blobs.keep(staged, key)


async def parts(blobs: BlobStore, key: str, wanted: range) -> list[bytes]:
    return [part async for part in blobs.read(key, wanted)]


@pytest.mark.parametrize(
    "wanted",
    [range(len(CONTENT)), range(1), range(5, 700_001), range(1_199_999, 1_200_000), range(7, 7)],
)
async def test_what_was_kept_is_read_back_in_small_parts(blobs: BlobStore, wanted: range) -> None:
    key = fresh_key()
    await keep(blobs, key, CONTENT)

    read = await parts(blobs, key, wanted)

    assert b"".join(read) == CONTENT[wanted.start : wanted.stop]
    assert all(len(part) <= READ_BYTES for part in read)


async def test_an_empty_file_is_a_file(blobs: BlobStore) -> None:
    key = fresh_key(b"")

    await keep(blobs, key, b"")

    assert await parts(blobs, key, range(0)) == []


async def test_many_at_once_with_the_same_name_are_one_blob(blobs: BlobStore) -> None:
    key = fresh_key()

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(keep(blobs, key, CONTENT))

    assert b"".join(await parts(blobs, key, range(len(CONTENT)))) == CONTENT


async def test_what_was_never_kept_is_missing(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        await parts(blobs, fresh_key(), range(10))


async def test_an_upload_that_breaks_leaves_nothing_behind(blobs: BlobStore) -> None:
    async def break_off() -> None:
        async with staging(blobs) as staged:
            await staged.write(CONTENT)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await break_off()

    assert list(blobs.staging.iterdir()) == []


async def test_a_folder_is_told_to_remember_before_keep_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, key = FolderBlobs(tmp_path), fresh_key()
    synced: list[Path] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    await keep(blobs, key, CONTENT)

    [content, workspace_folder, folder] = synced
    assert content.parent == blobs.staging
    assert [workspace_folder, folder] == [(tmp_path / key).parent, tmp_path]
    assert (tmp_path / key).stat().st_mode & 0o077 == 0


async def test_the_sweep_takes_what_a_crash_left_and_nothing_younger(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    (blobs.staging / "left").write_bytes(b"x")
    now = SystemClock().now()

    async with staging(blobs) as staged:
        assert sweep_staging(blobs, now) == 0
        assert sweep_staging(blobs, now + timedelta(minutes=59)) == 0
        os.utime(blobs.staging / "left", (0, 0))

        assert sweep_staging(blobs, now) == 1

        assert list(blobs.staging.iterdir()) == [staged.path]


async def test_a_bucket_that_is_not_there_is_unavailable(
    urls: DatabaseUrls, s3_endpoint: str
) -> None:
    blobs = bucket_blobs(urls, s3_endpoint, "s3://no-such-bucket")

    with pytest.raises(BlobStoreUnavailable):
        await keep(blobs, fresh_key(), CONTENT)


async def test_a_full_disk_is_unavailable_and_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FolderBlobs(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BlobStoreUnavailable):
        await keep(blobs, fresh_key(), CONTENT)

    assert list(blobs.staging.iterdir()) == []
