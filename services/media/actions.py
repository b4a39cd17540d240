"""What can be done with files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from chassis import audit
from chassis.audit import Change
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import IdempotencyKeyReused
from chassis.ids import WorkspaceId, new_id
from chassis.logs import log
from services.media import model
from services.media.blobs import BlobMissing, BlobStore, staging
from services.media.model import Announcement, BytesMissing, Media, MediaMismatch
from services.media.store import Store


@dataclass(frozen=True, slots=True)
class Means:
    """What every action works with."""

    database: Database
    blobs: BlobStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload."""

    media: Media
    replayed: bool
    """It had been uploaded before; nothing was added."""


async def upload(
    means: Means, caller: Caller, announced: Announcement, chunks: AsyncIterator[bytes]
) -> Stored:
    """Store a file: first its bytes, durably, then the row that names them.

    A repeat of the same request returns the file that is there. A crash in between leaves bytes
    without a row, which nobody can see.
    Raises: MediaMismatch, IdempotencyKeyReused, BlobStoreUnavailable.
    """
    async with staging(means.blobs) as staged:
        async for chunk in chunks:
            await staged.write(chunk)
            if staged.size_bytes > announced.size_bytes:
                # Stop here: somebody who lies about the size shall not fill the disk.
                raise MediaMismatch("size_bytes", str(announced.size_bytes), "more")
        await staged.finish()
        sha256 = staged.sha256
        model.check_received(announced, size_bytes=staged.size_bytes, sha256=sha256)
        await means.blobs.keep(staged, model.blob_key(caller.workspace, sha256))
    media = Media(
        id=new_id(),
        file_name=announced.file_name,
        content_type=announced.content_type,
        size_bytes=announced.size_bytes,
        sha256=sha256,
        create_time=means.clock.now(),
    )
    async with means.database.begin(caller.workspace) as transaction:
        stored = await Store(transaction, caller.workspace).add(media, announced.request_id)
        if stored.id == media.id:
            changes = [_uploaded(media)]
            at = media.create_time
            await audit.append(transaction, caller, "MediaService/Upload", changes, at=at)
    if not model.says_the_same(stored, announced, sha256):
        raise IdempotencyKeyReused("header.request_id")
    return Stored(stored, replayed=stored.id != media.id)


async def get_media(means: Means, caller: Caller, media_id: str) -> Media:
    """One file. Raises: MediaNotFound."""
    async with means.database.begin(caller.workspace) as transaction:
        return await Store(transaction, caller.workspace).get(media_id)


async def read(
    means: Means, workspace_id: WorkspaceId, media: Media, wanted: range
) -> AsyncGenerator[bytes]:
    """Some bytes of a file, in parts. Raises: BytesMissing, BlobStoreUnavailable."""
    missing = len(wanted)
    key = model.blob_key(workspace_id, media.sha256)
    try:
        async with aclosing(means.blobs.read(key, wanted)) as parts:
            async for part in parts:
                missing -= len(part)
                yield part
    except BlobMissing as error:
        log.error("blob_missing", media_id=media.id)
        raise BytesMissing(media.id) from error
    if missing:
        log.error("blob_short", media_id=media.id, missing_bytes=missing)
        raise BytesMissing(media.id)


def _uploaded(media: Media) -> Change:
    kept = {
        "file_name": media.file_name,
        "content_type": media.content_type,
        "size_bytes": media.size_bytes,
        "sha256": media.sha256,
    }
    return Change.of("media", media.id, None, kept)
